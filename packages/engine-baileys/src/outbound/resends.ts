import {
  ackFor,
  bytes,
  child,
  childrenOf,
  intAttr,
  isGroup,
  isSelf,
  type Node,
  parseJid,
  personJid,
  type Self,
} from '@ponte/engine';
import { extractE2ESessionFromRetryReceipt, type proto, type WASocket } from '../baileys.ts';
import { BoundedCache } from '../bounded-cache.ts';
import { describeError } from '../library-log.ts';

/** How often one device gets one message again (whatsmeow, Baileys). */
const TIMES_MAX = 5;
const COUNTED_MAX = 2_000;
const COUNTED_MS = 60 * 60_000;
/** Requests that wait for their turn; what is beyond stays unanswered, and comes again. */
const WAITING_MAX = 1_000;

export interface ResendsParts {
  sock: Pick<WASocket, 'signalRepository' | 'authState' | 'relayMessage' | 'assertSessions'>;
  self(): Self | undefined;
  /** A message of ours, when it may be sent again. */
  find(key: { id: string; remoteJid: string }): Promise<proto.IMessage | undefined>;
  send(node: Node): Promise<void>;
  nowMs(): number;
  warn(fields: Record<string, unknown>, message: string): void;
}

/**
 * `<receipt type="retry">`: a device could not read a message of ours and asks for it again. It
 * goes to that device alone (whatsmeow retry.go), also when it is a phone: Baileys would then send
 * it to all members, and make the next message to the group carry keys for all of its members.
 */
export class Resends {
  readonly #parts: ResendsParts;
  readonly #counts: BoundedCache;
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(parts: ResendsParts) {
    this.#parts = parts;
    this.#counts = new BoundedCache(COUNTED_MAX, COUNTED_MS, parts.nowMs);
  }

  /** Answers it when its turn comes, one after another. Never rejects. */
  answer(receipt: Node): void {
    if (this.#waiting >= WAITING_MAX) return;
    this.#waiting++;
    this.#tail = this.#tail
      .then(() => this.#answer(receipt))
      .catch((error: unknown) => {
        this.#parts.warn({ error: describeError(error) }, 'a message could not be sent again');
      })
      .finally(() => {
        this.#waiting--;
      });
  }

  async #answer(receipt: Node): Promise<void> {
    try {
      const asked = this.#whatIsAsked(receipt);
      if (asked) await this.#resend(receipt, asked);
    } finally {
      await this.#parts.send(ackFor(receipt));
    }
  }

  /** Undefined when it asks for a message that is not ours. */
  #whatIsAsked({ attrs, content }: Node): { chat: string; device: string; ids: string[] } | undefined {
    const self = this.#parts.self();
    const { id, from, participant, recipient } = attrs;
    const device = participant ?? from;
    if (!self || id === undefined || from === undefined || device === undefined) return undefined;
    const isOwn = isSelf(device, self);
    if (recipient !== undefined && !isOwn) return undefined;
    const chat = isOwn && !isGroup(from) ? recipient : from;
    if (chat === undefined) return undefined;
    const list = Array.isArray(content) ? content[0] : undefined;
    const more = childrenOf(list, 'item').flatMap((item) => item.attrs.id ?? []);
    return { chat: personJid(chat), device, ids: [id, ...more] };
  }

  async #resend(receipt: Node, { chat, device, ids }: { chat: string; device: string; ids: string[] }): Promise<void> {
    const { sock, find } = this.#parts;
    const messages: { id: string; message: proto.IMessage }[] = [];
    for (const id of ids) {
      if (!this.#mayGoAgain(id, device)) continue;
      const message = await find({ id, remoteJid: chat });
      if (message) messages.push({ id, message });
    }
    if (messages.length === 0) return;
    await this.#renewSession(receipt, device);
    if (isGroup(chat)) await this.#forgetItHasKey(chat, device);
    const count = intAttr(child(receipt, 'retry'), 'count') ?? 1;
    for (const { id, message } of messages) {
      await sock.relayMessage(chat, message, { messageId: id, participant: { jid: device, count } });
    }
  }

  #mayGoAgain(id: string, device: string): boolean {
    const key = `${id}:${device}`;
    const times = this.#counts.get<number>(key) ?? 0;
    this.#counts.set(key, times + 1);
    return times < TIMES_MAX;
  }

  /** The keys that came along, else those that the server has (Baileys messages-recv.js). */
  async #renewSession(receipt: Node, device: string): Promise<void> {
    const { signalRepository, authState, assertSessions } = this.#parts.sock;
    const session = extractE2ESessionFromRetryReceipt(receipt);
    if (session) {
      await signalRepository.injectE2ESession({ jid: device, session });
      return;
    }
    const told = bytes(child(receipt, 'registration'));
    const known = await signalRepository.getSessionInfo(device);
    const isOther = told?.length === 4 && known?.registrationId !== Buffer.from(told).readUInt32BE();
    if (known && known.registrationId !== 0 && isOther) {
      const name = signalRepository.jidToSignalProtocolAddress(device);
      await authState.keys.set({ session: { [name]: null } });
    }
    await assertSessions([device], true);
  }

  /** It gets the group's key with what is sent again, and once more with the next message. */
  async #forgetItHasKey(group: string, device: string): Promise<void> {
    const { keys, creds } = this.#parts.sock.authState;
    await keys.transaction(async () => {
      const known = (await keys.get('sender-key-memory', [group]))[group];
      if (!known) return;
      const left = Object.entries(known).filter(([jid]) => !isSameDevice(jid, device));
      await keys.set({ 'sender-key-memory': { [group]: Object.fromEntries(left) } });
    }, creds.me?.id ?? group);
  }
}

function isSameDevice(one: string, other: string): boolean {
  const [a, b] = [parseJid(one), parseJid(other)];
  return a?.user === b?.user && a?.server === b?.server && (a?.device ?? 0) === (b?.device ?? 0);
}
