import { child, type Node } from '@ponte/engine';

/** How many stanzas the first question asks for: as WhatsApp Web does (zapo #269). */
const BATCH = 200;
/** When so many are durable, as many more are asked for: at most one batch is on the way. */
const NEXT = 100;
/** Nothing came for this long: asked once more, for it may be that the question was lost. */
const SILENCE_MS = 5_000;
/** After so many questions into silence nothing more is expected. */
const SILENT_MAX = 12;

/**
 * Asks for the mail from the time offline, batch by batch: WhatsApp holds back what is not asked
 * for until it has sent `<ib><offline>` (whatsapp-rust #629). Asked for only as fast as it becomes
 * durable here, so that a week of mail is never in memory whole.
 */
export class OfflineBatches {
  readonly #send: (node: Node) => Promise<void>;
  #isWaiting = false;
  #sinceAsked = 0;
  #silent = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (node: Node) => Promise<void>) {
    this.#send = send;
  }

  /** A stanza is durable, whatever it was. */
  async passed(node: Node): Promise<void> {
    if (node.tag === 'ib' && child(node, 'offline')) this.stop();
    if (node.tag === 'ib' && child(node, 'offline_preview')) {
      this.#isWaiting = true;
      await this.#ask(BATCH);
    } else if (this.#isWaiting && node.attrs.offline !== undefined) {
      this.#silent = 0;
      this.#sinceAsked += 1;
      if (this.#sinceAsked >= NEXT) await this.#ask(NEXT);
    }
  }

  stop(): void {
    this.#isWaiting = false;
    clearTimeout(this.#timer);
  }

  async #ask(count: number): Promise<void> {
    this.#sinceAsked = 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onSilence(), SILENCE_MS);
    await this.#send({
      tag: 'ib',
      attrs: {},
      content: [{ tag: 'offline_batch', attrs: { count: String(count) } }],
    });
  }

  #onSilence(): void {
    this.#silent += 1;
    if (this.#silent > SILENT_MAX) this.stop();
    // The connection may be gone by now; then there is nothing to ask for.
    if (this.#isWaiting) this.#ask(NEXT).catch(() => this.stop());
  }
}
