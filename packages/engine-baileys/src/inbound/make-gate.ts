import { type AddressPair, ackFor, type EngineOptions, type Node, parseChatState } from '@ponte/engine';
import type { ContactSalt } from '../account/contact-salt.ts';
import type { AuthenticationCreds, SocketConfig, WASocket } from '../baileys.ts';
import type { ColdContacts } from '../outbound/cold-contacts.ts';
import type { Resends } from '../outbound/resends.ts';
import { selfOf } from '../self-of.ts';
import type { LidMap } from '../store/lid-map.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import { completeEvent } from './decode.ts';
import type { OfflineBatches } from './offline-batches.ts';
import { StanzaGate } from './stanza-gate.ts';
import type { StanzaLinks } from './stanza-links.ts';
import { StatusMail } from './status-mail.ts';

/** What the gate of a connection is made from. */
export interface GateSources {
  sock: WASocket;
  options: EngineOptions;
  creds: AuthenticationCreds;
  lids: LidMap;
  guard: StoreGuard;
  links: StanzaLinks;
  logger: SocketConfig['logger'];
  batches: OfflineBatches;
  coldContacts: ColdContacts;
  salt: ContactSalt;
  learn(pairs: AddressPair[]): Promise<void>;
  send(node: Node): Promise<void>;
  intercept(node: Node): Promise<boolean>;
  resends: Resends;
  onBroken(detail: string): void;
  onListenerError(event: string, error: unknown): void;
}

/** The gate of one connection, with everything that stands behind it. */
export function makeGate(sources: GateSources): StanzaGate {
  const { sock, options, creds, lids, guard, links, logger, batches, coldContacts, salt, learn, send } = sources;
  const learnAny = (pairs: AddressPair[]) => (pairs.length === 0 ? Promise.resolve() : learn(pairs));
  const { log, session } = options;
  return new StanzaGate(sock.ws, {
    guard,
    links,
    self: () => selfOf(creds),
    learn: learnAny,
    onLive: async (node) => {
      const event = parseChatState(node);
      if (event) options.onChange({ type: 'live', event: await guard.durable(() => completeEvent(event, lids)) });
    },
    intercept: sources.intercept,
    statuses: new StatusMail({
      ...{ sock, guard, links, logger, send },
      learn: learnAny,
      me: () => creds.me,
      nowSeconds: () => Math.floor(options.clock.now() / 1_000),
    }),
    onRetry: (receipt) => sources.resends.answer(receipt),
    acknowledge: (node) => send(ackFor(node)),
    onUnknown: (tag) => log.warn({ session, tag }, 'WhatsApp sent a kind of stanza that is not known here'),
    onPassed: async (node) => {
      if (node.tag === 'notification' && node.attrs.type === 'mex') await guard.durable(() => coldContacts.take(node));
      // Not awaited: the answer takes a round trip.
      if (node.tag === 'notification') salt.changed(node).catch((error) => sources.onListenerError('salt', error));
      await batches.passed(node);
    },
    onBroken: sources.onBroken,
    onListenerError: sources.onListenerError,
  });
}
