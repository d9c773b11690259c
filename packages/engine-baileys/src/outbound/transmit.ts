import {
  EngineError,
  isGroup,
  isLid,
  type Prepared,
  parseJid,
  personJid,
  type ServerAck,
  STATUS_BROADCAST,
} from '@ponte/engine';
import { proto, type WASocket } from '../baileys.ts';
import { toEngineError } from '../query-error.ts';
import { QUERY_MS } from '../socket-config.ts';
import type { AckWaiter } from './ack-waiter.ts';
import type { ColdContacts } from './cold-contacts.ts';
import type { FreshLids } from './fresh-lids.ts';

/** For WhatsApp's acknowledgement, once the message has left. */
const ACK_MS = 20_000;

export interface TransmitParts {
  sock: WASocket;
  acks: AckWaiter;
  freshLids: FreshLids;
  coldContacts: ColdContacts;
  /** Rejects when the connection ends before the work does. */
  whileConnected<T>(work: Promise<T>): Promise<T>;
}

/**
 * Encrypts for every device, sends, and waits for the acknowledgement. The ratchets are durable
 * before the stanza leaves, so a repeat after a crash is another ciphertext of the same message
 * under the same id.
 */
export async function transmit(
  prepared: Prepared,
  signal: AbortSignal | undefined,
  parts: TransmitParts,
): Promise<ServerAck> {
  const { sock, acks, freshLids, coldContacts, whileConnected } = parts;
  const message = proto.Message.decode(prepared.proto);
  const expected = acks.expect(prepared.id);
  try {
    const { id: messageId, attrs: additionalAttributes, meta, recipient } = prepared;
    const to = await whileConnected(freshLids.current(prepared.to, recipient.pn));
    await whileConnected(coldContacts.requireAllowed(to));
    await whileConnected(requireDevices(sock, to));
    const token = await whileConnected(coldContacts.token(to));
    const additionalNodes = [...(meta ? [{ tag: 'meta', attrs: meta }] : []), ...(token ? [token] : [])];
    const options = { messageId, additionalAttributes, additionalNodes, statusJidList: prepared.audience };
    await whileConnected(sock.relayMessage(to, message, options));
    const { timestamp, isLidStale } = await expected.within(ACK_MS, signal);
    if (isLidStale) await freshLids.refresh(to, recipient.pn);
    return { timestamp };
  } catch (error) {
    throw toEngineError(error, 'the message was not sent');
  } finally {
    expected.stop();
  }
}

/**
 * Makes sure that the recipient's devices are known. Baileys sends a message without any recipient
 * when WhatsApp does not answer that question; the answer is cached, so its own lookup right after
 * costs nothing.
 */
async function requireDevices(sock: WASocket, to: string): Promise<void> {
  if (isGroup(to) || to === STATUS_BROADCAST) return;
  const { me } = sock.authState.creds;
  const own = isLid(to) ? me?.lid : me?.id;
  const startedAt = performance.now();
  const people = own === undefined ? [to] : [personJid(own), to];
  const devices = await sock.getUSyncDevices(people, true, false);
  if (devices.some(({ user }) => user === parseJid(to)?.user)) return;
  if (performance.now() - startedAt >= QUERY_MS) {
    throw new EngineError('timeout', 'WhatsApp did not say which devices the recipient has');
  }
  throw new EngineError('not_on_whatsapp', 'the recipient has no device on WhatsApp any more');
}
