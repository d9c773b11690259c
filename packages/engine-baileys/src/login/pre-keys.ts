import { child, EngineError, intAttr, type Node } from '@ponte/engine';
import { type AuthenticationCreds, getNextPreKeysNode } from '../baileys.ts';
import type { StoreGuard } from '../store/store-guard.ts';

const SERVER = '@s.whatsapp.net';
/**
 * How many one-time keys a device uploads, as WhatsApp Web does each time (Baileys Defaults,
 * whatsapp-rust #706); when the server has so few that it did not warn, or ours are gone, some
 * more.
 */
const FIRST_UPLOAD = 812;
const TOP_UP = 5;

export interface PreKeyParts {
  creds: AuthenticationCreds;
  guard: StoreGuard;
  /** Merges into the credentials and saves them. */
  updateCreds(update: Partial<AuthenticationCreds>): void;
  query(node: Node): Promise<Node>;
}

/**
 * Keeps WhatsApp supplied with one-time keys. Own code instead of Baileys' because there an upload
 * leaves a 30 s timer behind. Keys and the counter of the next ones are durable before they leave:
 * a key number is never drawn twice.
 */
export class PreKeys {
  readonly #parts: PreKeyParts;
  #running: Promise<void> | undefined;

  constructor(parts: PreKeyParts) {
    this.#parts = parts;
  }

  /**
   * Asks how many WhatsApp still has, and uploads when they are few, or when the newest of them is
   * not ours any more.
   */
  async ensure(): Promise<void> {
    const { creds, guard, query } = this.#parts;
    const answer = await query(encryptIq('get', { tag: 'count', attrs: {} }));
    const left = intAttr(child(answer, 'count'), 'value') ?? 0;
    const newest = String(creds.nextPreKeyId - 1);
    const hasNewest = creds.nextPreKeyId <= 1 || newest in (await guard.get('pre-key', [newest]));
    if (left <= TOP_UP) await this.upload(FIRST_UPLOAD);
    else if (!hasNewest) await this.upload(TOP_UP);
  }

  /** WhatsApp warns that it has few keys: it knows best what few are. */
  onLow(): Promise<void> {
    return this.upload(FIRST_UPLOAD);
  }

  /** Asks whether WhatsApp's copy of our keys is whole; uploads anew when it says no. */
  async verify(): Promise<void> {
    try {
      await this.#parts.query(encryptIq('get', { tag: 'digest', attrs: {} }));
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'rejected') throw error;
      await this.upload(TOP_UP);
    }
  }

  /** One upload at a time; a second wish is met by the one under way. */
  upload(count: number): Promise<void> {
    this.#running ??= this.#upload(count).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #upload(count: number): Promise<void> {
    const { creds, guard, updateCreds, query } = this.#parts;
    const { update, node } = await getNextPreKeysNode({ creds, keys: guard }, count);
    updateCreds(update);
    await guard.saveCreds(creds);
    await query(node);
  }
}

function encryptIq(type: 'get' | 'set', content: Node): Node {
  return { tag: 'iq', attrs: { xmlns: 'encrypt', type, to: SERVER }, content: [content] };
}

/** Whether WhatsApp says how many pre-keys it has left, which it does when they run out. */
export function saysFewPreKeys(node: Node): boolean {
  if (node.tag !== 'notification' || node.attrs.type !== 'encrypt' || node.attrs.from !== SERVER) return false;
  return intAttr(child(node, 'count'), 'value') !== undefined;
}
