import { formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { type DeviceLink, IqError, type PhoneSettings, type PhoneStore } from '../phone/network.ts';
import { Phone } from '../phone/phone.ts';
import type { Account } from './accounts.ts';
import { type Db, prepare } from './database.ts';
import { answerIq } from './iq/table.ts';
import type { Endpoint } from './mailbox.ts';
import { hexId } from './rng.ts';
import type { Router } from './router.ts';
import type { Sender, Tenant } from './tenant.ts';

/** Stanzas a phone may have in hand before it counts as congested. */
const IN_HAND_MAX = 64;
const STANZAS_PER_TURN = 200;

export const DEFAULT_PHONE_SETTINGS: PhoneSettings = {
  autoReceipts: 'delivered',
  online: true,
  addressing: 'lid',
  replyEcho: false,
};

/** Ends with the phone's deletion, a reset or the simulator. */
interface Life {
  isOver: boolean;
}

interface RunningPhone {
  life: Life;
  phone: Phone;
  started: Promise<void>;
  endpoint: Endpoint;
}

export type Phones = ReturnType<typeof createPhones>;

/**
 * The virtual phones of a tenant: ordinary devices behind the router, in this process. They are made when first needed (asked for, or
 * mail arrives). What a phone sends the server has at once; what the server sends a phone arrives on a later turn of the event loop, in
 * order, so that no stanza is handled inside the handling of another and phones that answer each other cannot starve the sockets.
 */
export function createPhones(tenant: Tenant, router: Router) {
  const running = new Map<string, RunningPhone>();
  const pending: (() => void)[] = [];
  let isScheduled = false;
  let isClosed = false;

  function later(work: () => void): void {
    pending.push(work);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  }

  function turn(): void {
    isScheduled = false;
    for (const work of pending.splice(0, STANZAS_PER_TURN)) {
      if (isClosed) return;
      try {
        work();
      } catch (cause) {
        tenant.problem('a stanza of a phone was not handled', cause);
      }
    }
    if (pending.length > 0 && !isScheduled) {
      isScheduled = true;
      setImmediate(turn);
    }
  }

  function settingsOf(pn: string): PhoneSettings {
    const stored = tenant.accounts.byPn(pn)?.settings;
    return {
      ...DEFAULT_PHONE_SETTINGS,
      ...(stored === undefined ? {} : (JSON.parse(stored) as Partial<PhoneSettings>)),
    };
  }

  function run(account: Account): RunningPhone {
    const sender: Sender = { pn: account.pn, device: 0, lineId: undefined };
    // A phone that was deleted may still be at work on something; what it does then must leave no trace.
    const life: Life = { isOver: false };
    const link = linkOf(tenant, router, sender, life);
    const phone = new Phone({
      jid: formatJid(account.pn, SERVER_PN),
      lid: formatJid(account.lid, SERVER_LID),
      name: account.name,
      link,
      store: phoneStore(tenant.db, tenant.name, account.pn, life),
      clock: tenant.clock,
      rng: tenant.rng,
      media: tenant.media,
      settings: () => settingsOf(account.pn),
    });
    const endpoint = phoneEndpoint(tenant, account.pn, phone, life, later);
    const made: RunningPhone = { phone, endpoint, life, started: phone.start() };
    running.set(account.pn, made);
    made.started.then(
      () => {
        if (!life.isOver && settingsOf(account.pn).online) connect(made);
      },
      (cause: unknown) => {
        if (life.isOver) return;
        running.delete(account.pn);
        tenant.problem(`phone ${account.pn} did not start`, cause);
      },
    );
    return made;
  }

  function connect(made: RunningPhone): void {
    if (tenant.delivery.endpoint(made.endpoint.pn, 0) === made.endpoint) return;
    made.endpoint.isAvailable = true;
    tenant.delivery.attach(made.endpoint).startLive();
  }

  function disconnect(made: RunningPhone): void {
    tenant.delivery.detach(made.endpoint);
    router.presence.left(made.endpoint);
  }

  function forgetAll(): void {
    for (const made of running.values()) made.life.isOver = true;
    running.clear();
    pending.length = 0;
  }

  return {
    settingsOf,
    /** The phone of an account, started. Undefined when the number is not on this network. */
    async get(pn: string): Promise<Phone | undefined> {
      const account = tenant.accounts.byPn(pn);
      if (!account) return undefined;
      const made = running.get(pn) ?? run(account);
      await made.started;
      return made.phone;
    },
    /** Mail arrived for a phone that is not connected: it is started, unless it is switched off. */
    wake(pn: string): void {
      const account = tenant.accounts.byPn(pn);
      if (account && !running.has(pn) && !isClosed && settingsOf(pn).online) run(account);
    },
    updateSettings(pn: string, changes: Partial<PhoneSettings>): PhoneSettings {
      const account = tenant.accounts.byPn(pn);
      const settings = { ...settingsOf(pn), ...changes };
      if (!account) return settings;
      tenant.accounts.save({ ...account, settings: JSON.stringify(settings) });
      const made = running.get(pn) ?? (settings.online ? run(account) : undefined);
      if (made && settings.online)
        made.started.then(
          () => connect(made),
          () => undefined,
        );
      else if (made) disconnect(made);
      return settings;
    },
    /** Forgets a phone that is being deleted. */
    drop(pn: string): void {
      const made = running.get(pn);
      running.delete(pn);
      if (!made) return;
      made.life.isOver = true;
      disconnect(made);
    },
    reset: forgetAll,
    close(): void {
      isClosed = true;
      forgetAll();
    },
  };
}

function phoneEndpoint(
  tenant: Tenant,
  pn: string,
  phone: Phone,
  life: Life,
  later: (work: () => void) => void,
): Endpoint {
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
      later(() => handle(node));
    },
    end() {
      // A phone is only ended with its account or its world: there is nobody to tell.
    },
  };
}

function linkOf(tenant: Tenant, router: Router, sender: Sender, life: Life): DeviceLink {
  const toPhone = (node: Node): void => tenant.delivery.endpoint(sender.pn, 0)?.push(node);
  return {
    send(node) {
      if (!life.isOver) router.take(sender, node, { reply: toPhone, acknowledge: toPhone });
    },
    query: async (node) => {
      if (life.isOver) throw new IqError(410, 'gone');
      const iq = { ...node, attrs: { id: hexId(tenant.rng, 8), ...node.attrs } };
      const { answer, afterwards } = await answerIq(tenant, sender, iq);
      afterwards();
      const error = answer.attrs.type === 'error' && Array.isArray(answer.content) ? answer.content[0] : undefined;
      if (error) throw new IqError(Number(error.attrs.code), error.attrs.text ?? '');
      return answer;
    },
  };
}

function phoneStore(db: Db, tenant: string, pn: string, life: Life): PhoneStore {
  const one = prepare<[string, string, string, string], { value: Buffer }>(
    db,
    'select value from phone_state where tenant = ? and pn = ? and kind = ? and id = ?',
  );
  const all = prepare<[string, string, string], { id: string; value: Buffer }>(
    db,
    'select id, value from phone_state where tenant = ? and pn = ? and kind = ? order by id',
  );
  const put = prepare<unknown[]>(
    db,
    'insert or replace into phone_state (tenant, pn, kind, id, value) values (?,?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from phone_state where tenant = ? and pn = ? and kind = ? and id = ?');
  return {
    get: (kind, id) => (life.isOver ? undefined : one.get(tenant, pn, kind, id)?.value),
    set(kind, id, value) {
      if (life.isOver) return;
      if (value === null) drop.run(tenant, pn, kind, id);
      else put.run(tenant, pn, kind, id, value);
    },
    list: (kind) => (life.isOver ? [] : all.all(tenant, pn, kind)),
    transaction: (work) => (life.isOver ? work() : db.transaction(work)()),
  };
}
