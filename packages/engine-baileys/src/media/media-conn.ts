import { child, childrenOf, EngineError, intAttr, type Node } from '@ponte/engine';

/** Where files may be uploaded now, and the right to. */
export interface UploadRight {
  auth: string;
  /** Host names, the one to try first in front. */
  hosts: string[];
}

/** When WhatsApp says nothing else. */
const TTL_SECONDS = 60;
/** Hosts tried for one file. */
const HOSTS_MAX = 4;

/**
 * Asks WhatsApp where to upload, and keeps the answer for as long as it is good (whatsmeow
 * mediaconn.go, Baileys refreshMediaConn).
 */
export class MediaConn {
  readonly #query: (node: Node) => Promise<Node>;
  readonly #nowMs: () => number;
  #known: { right: UploadRight; until: number } | undefined;

  constructor(query: (node: Node) => Promise<Node>, nowMs: () => number) {
    this.#query = query;
    this.#nowMs = nowMs;
  }

  /** Rejects with `not_connected`, `timeout`, `rejected`. */
  async right(): Promise<UploadRight> {
    if (this.#known && this.#nowMs() < this.#known.until) return this.#known.right;
    const answer = await this.#query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:m' },
      content: [{ tag: 'media_conn', attrs: {} }],
    });
    const conn = child(answer, 'media_conn');
    const hosts = childrenOf(conn, 'host').flatMap(({ attrs }) => (attrs.hostname ? [attrs.hostname] : []));
    if (!conn?.attrs.auth || hosts.length === 0) throw new EngineError('rejected', 'WhatsApp named no host for files');
    const right = { auth: conn.attrs.auth, hosts: hosts.slice(0, HOSTS_MAX) };
    this.#known = { right, until: this.#nowMs() + (intAttr(conn, 'ttl') ?? TTL_SECONDS) * 1_000 };
    return right;
  }

  /** The right was refused: the next call asks anew. */
  forget(): void {
    this.#known = undefined;
  }
}
