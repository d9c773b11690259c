import { bareJid, child, children, type Jid, type Node } from '@ponte/engine';
import type { AddressBook } from './address-book.ts';
import { InputError } from './content/input.ts';

export const CALL_ENDINGS = ['timeout', 'hangup', 'decline', 'busy'] as const;
export type CallEnding = (typeof CALL_ENDINGS)[number];

/**
 * A call as a phone knows it. There is no sound in this network: only who rings whom, and how it
 * ends.
 */
export interface Call {
  callId: string;
  /** The other side, as shown. */
  with: Jid;
  /** The same on the wire. */
  peer: Jid;
  creator: Jid;
  isIncoming: boolean;
  isVideo: boolean;
  state: 'ringing' | 'accepted' | 'rejected' | 'ended';
  /** What the ending stanza said, if anything. */
  reason: string | undefined;
}

/** The phone has no such call, or it is over. */
export class CallNotFoundError extends Error {
  override readonly name = 'CallNotFoundError';
}

const CALLS_MAX = 200;
const PLATFORM = 'android';
const VERSION = '2.26.40.72';
/**
 * What the caller's terminate says; `rejected_elsewhere` is what the other devices of a person who
 * declined get (whatsmeow events.CallTerminate).
 */
const REASONS: Record<CallEnding, string> = {
  timeout: 'timeout',
  hangup: 'hangup',
  decline: 'rejected_elsewhere',
  busy: 'busy',
};

/**
 * Signalling of 1:1 calls (shapes: whatsmeow call.go, Baileys messages-recv.js). In memory: a phone
 * that restarts rings no more.
 */
export class Calls {
  readonly #own: Jid;
  readonly #book: AddressBook;
  readonly #send: (node: Node) => void;
  readonly #random: (length: number) => Uint8Array;
  readonly #calls = new Map<string, Call>();

  constructor(parts: {
    own: Jid;
    book: AddressBook;
    send: (node: Node) => void;
    random: (length: number) => Uint8Array;
  }) {
    this.#own = parts.own;
    this.#book = parts.book;
    this.#send = parts.send;
    this.#random = parts.random;
  }

  /** Every call, the oldest first. */
  list(): Call[] {
    return [...this.#calls.values()];
  }

  /** Rings another number. */
  place(to: Jid, isVideo: boolean, platform = PLATFORM): Call {
    const callId = Buffer.from(this.#random(16)).toString('hex').toUpperCase();
    const peer = this.#book.wire(bareJid(to));
    const call: Call = {
      callId,
      with: this.#book.shown(to),
      peer,
      creator: this.#own,
      isIncoming: false,
      isVideo,
      state: 'ringing',
      reason: undefined,
    };
    this.#keep(call);
    const content: Node[] = [
      { tag: 'audio', attrs: { enc: 'opus', rate: '16000' } },
      ...(isVideo ? [{ tag: 'video', attrs: { enc: 'vp8', dec: 'vp8', orientation: '0' } }] : []),
      { tag: 'net', attrs: { medium: '3' } },
    ];
    this.#signal(call, 'offer', {}, content, { platform, version: VERSION });
    return call;
  }

  /** An incoming call is taken up on this phone. Throws CallNotFoundError. */
  accept(callId: string): Call {
    const call = this.#open(callId);
    if (!call.isIncoming) throw new InputError('call_id', 'is a call of this phone itself; the other side accepts it');
    this.#signal(call, 'accept', {}, [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }]);
    return this.#keep({ ...call, state: 'accepted' });
  }

  /** Ends a call: the caller may give up, the callee may decline. Throws CallNotFoundError. */
  end(callId: string, ending: CallEnding): Call {
    const call = this.#open(callId);
    const isRefusal = call.isIncoming && call.state === 'ringing' && (ending === 'decline' || ending === 'busy');
    if (isRefusal) this.#signal(call, 'reject', ending === 'busy' ? { reason: 'busy', count: '0' } : { count: '0' });
    else this.#signal(call, 'terminate', { reason: REASONS[ending] });
    return this.#keep({ ...call, state: isRefusal ? 'rejected' : 'ended', reason: ending });
  }

  /** Takes a `<call>` of the server. */
  take(node: Node): void {
    const [event] = children(node);
    const callId = event?.attrs['call-id'];
    const from = node.attrs.from;
    if (!event || !callId || !from) return;
    this.#book.learn(event.attrs['call-creator'] ?? from, event.attrs.caller_pn);
    if (event.tag === 'offer') this.#ring(callId, from, event);
    const call = this.#calls.get(callId);
    const state = ENDED[event.tag];
    if (call && state && call.state !== 'ended') this.#keep({ ...call, state, reason: event.attrs.reason });
  }

  #ring(callId: string, from: Jid, offer: Node): void {
    if (this.#calls.has(callId)) return;
    this.#keep({
      callId,
      with: this.#book.shown(from),
      peer: bareJid(from),
      creator: offer.attrs['call-creator'] ?? from,
      isIncoming: true,
      isVideo: child(offer, 'video') !== undefined,
      state: 'ringing',
      reason: undefined,
    });
  }

  #open(callId: string): Call {
    const call = this.#calls.get(callId);
    if (call && (call.state === 'ringing' || call.state === 'accepted')) return call;
    throw new CallNotFoundError(`this phone has no open call ${callId}`);
  }

  #keep(call: Call): Call {
    this.#calls.set(call.callId, call);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > CALLS_MAX && oldest !== undefined) this.#calls.delete(oldest);
    return call;
  }

  #signal(
    call: Call,
    tag: string,
    attrs: Record<string, string>,
    content?: Node[],
    outer: Record<string, string> = {},
  ): void {
    const event: Node = { tag, attrs: { 'call-id': call.callId, 'call-creator': call.creator, ...attrs } };
    if (content) event.content = content;
    const id = Buffer.from(this.#random(8)).toString('hex').toUpperCase();
    this.#send({ tag: 'call', attrs: { id, to: call.peer, ...outer }, content: [event] });
  }
}

const ENDED: Record<string, Call['state']> = { accept: 'accepted', reject: 'rejected', terminate: 'ended' };
