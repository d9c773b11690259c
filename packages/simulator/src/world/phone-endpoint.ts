import { intAttr, type Node } from '@ponte/engine';
import { type DeviceLink, IqError } from '../phone/network.ts';
import type { Phone } from '../phone/phone.ts';
import { routeCall } from './calls.ts';
import { answerIq } from './iq/table.ts';
import type { Endpoint } from './mailbox.ts';
import type { Life } from './phone-store.ts';
import { hexId } from './rng.ts';
import type { Router } from './router.ts';
import type { Sender, Tenant } from './tenant.ts';
import type { Turns } from './turns.ts';

/** Stanzas a phone may have in hand before it counts as congested. */
const IN_HAND_MAX = 64;

/** The way from the server to a phone: each stanza on a later turn, in order. */
export function phoneEndpoint(tenant: Tenant, pn: string, phone: Phone, life: Life, turns: Turns): Endpoint {
  function handle(node: Node): void {
    phone
      .receive(node)
      .catch((cause: unknown) => life.isOver || tenant.problem(`phone ${pn} could not handle a <${node.tag}>`, cause))
      .finally(() => {
        inHand -= 1;
        if (inHand === IN_HAND_MAX / 2) tenant.delivery.resume(pn, 0);
      });
  }

  let inHand = 0;
  return {
    pn,
    device: 0,
    isAvailable: false,
    get isCongested() {
      return inHand >= IN_HAND_MAX;
    },
    push(node) {
      inHand += 1;
      turns.later(() => handle(node));
    },
    end() {
      // A phone ends with its account or its world only; no peer has to be told.
    },
  };
}

/** The way from a phone to the server: at once. What a phone does after its life goes nowhere. */
export function linkOf(tenant: Tenant, router: Router, sender: Sender, life: Life): DeviceLink {
  const toPhone = (node: Node): void => tenant.delivery.endpoint(sender.pn, 0)?.push(node);
  return {
    send(node) {
      let takenAt: number | undefined;
      const acknowledge = (ack: Node): void => {
        takenAt = intAttr(ack, 't');
        toPhone(ack);
      };
      if (!life.isOver) router.take(sender, node, { reply: toPhone, acknowledge });
      return takenAt;
    },
    query: async (node) => {
      if (life.isOver) throw new IqError(410, 'gone');
      const asked = { ...node, attrs: { id: hexId(tenant.rng, 8), ...node.attrs } };
      const { answer, afterwards } =
        node.tag === 'call'
          ? { answer: routeCall(tenant, sender, asked).ack, afterwards: () => undefined }
          : await answerIq(tenant, sender, asked);
      afterwards();
      const error = answer.attrs.type === 'error' && Array.isArray(answer.content) ? answer.content[0] : undefined;
      if (error) throw new IqError(Number(error.attrs.code), error.attrs.text ?? '');
      return answer;
    },
  };
}
