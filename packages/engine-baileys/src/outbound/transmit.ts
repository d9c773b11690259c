import {
  EngineError,
  isBot,
  isGroup,
  isLid,
  isNewsletter,
  type Jid,
  type Prepared,
  parseJid,
  personJid,
  type ServerAck,
  STATUS_BROADCAST,
} from '@ponte/engine';
import { proto, type WASocket } from '../baileys.ts';
import type { SendableGroups } from '../groups/sendable-groups.ts';
import { toEngineError } from '../query-error.ts';
import { QUERY_MS } from '../socket-config.ts';
import type { AckWaiter } from './ack-waiter.ts';
import type { ColdContacts } from './cold-contacts.ts';
import { tellingDevicesOnce } from './device-cache.ts';
import type { FreshLids } from './fresh-lids.ts';
import { leavingWith } from './leaving.ts';
import { type OwnToken, ownTokenFor } from './own-token.ts';

/** For WhatsApp's acknowledgement, once the message has left. */
const ACK_MS = 20_000;

export interface TransmitParts {
  sock: WASocket;
  acks: AckWaiter;
  freshLids: FreshLids;
  coldContacts: ColdContacts;
  groups: SendableGroups;
  /** Bytes of the message leave once it resolved; they are encrypted meanwhile. */
  onLeaving?: (() => void | Promise<void>) | undefined;
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
  let leaving: Promise<void> = Promise.resolve();
  let ownToken: OwnToken | undefined;
  try {
    const { id: messageId, attrs: additionalAttributes, meta, recipient } = prepared;
    const to = await whileConnected(freshLids.current(prepared.to, recipient.pn));
    await whileConnected(coldContacts.requireAllowed(to));
    if (isGroup(to)) await whileConnected(requireMayWrite(parts, to, message));
    else await whileConnected(requireDevices(sock, to));
    const token = await whileConnected(coldContacts.token(to));
    const additionalNodes = [...(meta ? [{ tag: 'meta', attrs: meta }] : []), ...(token ? [token] : [])];
    leaving = Promise.resolve(parts.onLeaving?.());
    // The await below reports a rejection.
    leaving.catch(() => {});
    const isForRegularUser = isPerson(to) && !isBot(to) && !message.protocolMessage;
    if (isForRegularUser) ownToken = await whileConnected(ownTokenFor(sock, to, coldContacts.now()));
    // Encrypted for one person, it waits between its ratchets and the wire; everything else here.
    if (!isPerson(to)) await whileConnected(leaving);
    const options = { messageId, additionalAttributes, additionalNodes, statusJidList: prepared.audience };
    const permission = { given: leaving, isOwn: ownDevicesOf(sock, to) };
    const relay = () => sock.relayMessage(to, message, options);
    await whileConnected(leavingWith(permission, isPerson(to) ? () => tellingDevicesOnce(relay) : relay));
    ownToken?.give();
    const { timestamp, isLidStale } = await expected.within(ACK_MS, signal);
    if (isLidStale) await freshLids.refresh(to, recipient.pn);
    return { timestamp };
  } catch (error) {
    ownToken?.keepBack();
    // When leaving was refused, that rejection is thrown instead of the encryption's error.
    await leaving;
    throw await named(parts, prepared.to, message, toEngineError(error, 'the message was not sent'));
  } finally {
    expected.stop();
  }
}

/**
 * WhatsApp's refusal by its name, where the code together with the address says what it is. A group
 * is asked again: its code 403 stands for several things.
 */
async function named(parts: TransmitParts, to: Jid, message: proto.IMessage, error: EngineError): Promise<EngineError> {
  const { code, serverCode } = error;
  if (code !== 'rejected' || serverCode === undefined) return error;
  const as = (name: EngineError['code'], sentence: string) =>
    new EngineError(name, sentence, { serverCode, cause: error });
  if (isNewsletter(to)) {
    if (serverCode === 404) return as('no_such_channel', 'there is no such channel');
    return [401, 403, 405].includes(serverCode) ? as('channel_admins_only', 'only admins post to a channel') : error;
  }
  if (isGroup(to) && [401, 403, 404].includes(serverCode)) {
    parts.groups.changed(to);
    const refusal = await parts.whileConnected(requireMayWrite(parts, to, message)).catch((why: unknown) => why);
    return refusal instanceof EngineError && refusal.code !== 'timeout' ? refusal : error;
  }
  if (serverCode === 404 && isPerson(to)) return as('not_on_whatsapp', 'the number has no WhatsApp account');
  return error;
}

/** Tells the line's own devices; in the chat with itself they are the recipients. */
function ownDevicesOf(sock: WASocket, to: Jid): (jid: string) => boolean {
  const { me } = sock.authState.creds;
  const own = new Set([me?.id, me?.lid].flatMap((jid) => (jid === undefined ? [] : [personJid(jid)])));
  return own.has(personJid(to)) ? () => false : (jid) => own.has(personJid(jid));
}

const isPerson = (to: Jid): boolean => !isGroup(to) && !isNewsletter(to) && to !== STATUS_BROADCAST;

/**
 * Refuses what WhatsApp would refuse of a group, before anything leaves: a group that is not there
 * or not the line's, and messages by a member in a group where admins alone write. Reactions,
 * votes and changes to own messages are open to members there.
 */
async function requireMayWrite({ sock, groups }: TransmitParts, to: Jid, message: proto.IMessage): Promise<void> {
  const group = await requireGroup(groups, to);
  const { me } = sock.authState.creds;
  const own = new Set([me?.id, me?.lid].flatMap((jid) => (jid === undefined ? [] : [personJid(jid)])));
  const self = group.participants.find(({ id, phoneNumber, lid }) =>
    [id, phoneNumber, lid].some((jid) => jid !== undefined && own.has(personJid(jid))),
  );
  if (!self) throw new EngineError('not_in_group', 'the line is no member of the group');
  const isFree =
    message.reactionMessage ?? message.protocolMessage ?? message.editedMessage ?? message.pollUpdateMessage;
  if (group.announce && !self.admin && !isFree) {
    throw new EngineError('group_admins_only', 'only admins write in this group');
  }
}

/** A group as its members see it. Rejects with `no_such_group`, `not_in_group`. */
export function requireGroup(groups: SendableGroups, to: Jid): ReturnType<SendableGroups['get']> {
  return groups.get(to).catch((cause: unknown) => {
    const error = toEngineError(cause, 'the group could not be asked for');
    if (error.serverCode === 404) throw new EngineError('no_such_group', 'there is no such group', { cause });
    if (error.serverCode === 403 || error.serverCode === 401) {
      throw new EngineError('not_in_group', 'the line is no member of the group', { cause });
    }
    throw error;
  });
}

/**
 * Makes sure that the recipient's devices are known. Baileys sends a message without any recipient
 * when WhatsApp does not answer that question; the answer is cached, so its own lookup right after
 * costs nothing.
 */
async function requireDevices(sock: WASocket, to: string): Promise<void> {
  if (!isPerson(to)) return;
  const { me } = sock.authState.creds;
  const own = isLid(to) ? me?.lid : me?.id;
  const startedAt = performance.now();
  const people = own === undefined ? [to] : [...new Set([personJid(own), to])];
  const devices = await tellingDevicesOnce(() => sock.getUSyncDevices(people, true, false));
  if (devices.some(({ user }) => user === parseJid(to)?.user)) return;
  if (performance.now() - startedAt >= QUERY_MS) {
    throw new EngineError('timeout', 'WhatsApp did not say which devices the recipient has');
  }
  throw new EngineError('not_on_whatsapp', 'the recipient has no device on WhatsApp any more');
}
