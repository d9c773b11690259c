import { child, type Jid, type Node } from '@ponte/engine';

/** What a person does in a chat right now. */
export interface Activity {
  state: 'composing' | 'paused';
  mode: 'text' | 'voice';
}

const MAX_CHATS = 500;

/**
 * Who is typing or recording in which chat, as far as this phone was told. In memory: it means
 * nothing after a restart.
 */
export class Activities {
  readonly #byChat = new Map<string, Activity>();

  of(chat: string): Activity | undefined {
    return this.#byChat.get(chat);
  }

  /** Takes a `<chatstate>`; a recording is a `composing` with media=audio. */
  note(chat: string, node: Node): void {
    const composing = child(node, 'composing');
    if (!composing && !child(node, 'paused')) return;
    this.#byChat.delete(chat);
    const mode = composing?.attrs.media === 'audio' ? 'voice' : 'text';
    this.#byChat.set(chat, { state: composing ? 'composing' : 'paused', mode });
    const [oldest] = this.#byChat.keys();
    if (this.#byChat.size > MAX_CHATS && oldest !== undefined) this.#byChat.delete(oldest);
  }

  /** A message ends the typing. */
  ended(chat: string): void {
    this.#byChat.delete(chat);
  }
}

export function chatStateNode(to: Jid, activity: Activity): Node {
  const { state, mode } = activity;
  const attrs: Record<string, string> = state === 'composing' && mode === 'voice' ? { media: 'audio' } : {};
  return { tag: 'chatstate', attrs: { to }, content: [{ tag: state, attrs }] };
}
