import type { Jid } from '@ponte/engine';
import type { Envelope } from './envelope.ts';
import type { PhoneStore } from './network.ts';
import { isShared } from './shared-chat.ts';
import { type Message, PROTOCOL } from './wa-proto.ts';

const KIND = 'timer';

/** How long messages of a chat stay, and since when that is so. */
export interface Timer {
  /** 0 = for good. */
  seconds: number;
  /** Seconds since 1970. */
  setAt: number;
}

/**
 * How long messages of private chats stay, as either side set it last. Groups have theirs at the
 * server.
 */
export class Timers {
  readonly #store: PhoneStore;

  constructor(store: PhoneStore) {
    this.#store = store;
  }

  /** `chat` as this phone shows it. */
  of(chat: Jid): Timer | undefined {
    const stored = this.#store.get(KIND, chat);
    return stored && (JSON.parse(Buffer.from(stored).toString()) as Timer);
  }

  set(chat: Jid, timer: Timer): void {
    const known = this.of(chat);
    if (known && known.setAt > timer.setAt) return;
    this.#store.set(KIND, chat, Buffer.from(JSON.stringify(timer)));
  }

  /** True when the message does nothing but set the timer of its chat. */
  take({ protocolMessage }: Message, { chat, chatJid, timestamp }: Envelope): boolean {
    if (protocolMessage?.type !== PROTOCOL.ephemeralSetting) return false;
    const { ephemeralExpiration, ephemeralSettingTimestamp } = protocolMessage;
    const setAt = Number(ephemeralSettingTimestamp ?? 0) || timestamp;
    if (!isShared(chatJid)) this.set(chat, { seconds: ephemeralExpiration ?? 0, setAt });
    return true;
  }
}

/** The message that sets the timer of a chat (whatsmeow send.go SetDisappearingTimer). */
export const timerMessage = ({ seconds, setAt }: Timer): Message => ({
  protocolMessage: {
    type: PROTOCOL.ephemeralSetting,
    ephemeralExpiration: seconds,
    ephemeralSettingTimestamp: setAt,
  },
});
