import type { Node } from '@ponte/engine';
import type { Clock } from './clock.ts';

/**
 * One stanza that crossed the wire of a line, without any text a person wrote. The end of a
 * connection is logged as the tag `closed`, with the reason as its note.
 */
export interface LoggedStanza {
  /** Grows by one per line; `?after=` takes it. */
  seq: number;
  /** Milliseconds since 1970, world time. */
  at: number;
  /** Seen from the server: `in` came from the line. */
  direction: 'in' | 'out';
  tag: string;
  attrs: Record<string, string>;
  /** Tags of the first-level children. */
  children: string[];
  /** What the server did beyond passing it on: `unsupported`, `dropped`, `lost` … */
  note?: string;
}

const ENTRIES_PER_LINE_MAX = 500;
const ENTRIES_PER_LINE_MIN = 40;
const ENTRIES_MAX = 100_000;
const LINES_MAX = 5000;
const ATTR_MAX_CHARS = 120;
const CHILDREN_MAX = 16;

interface Ring {
  next: number;
  entries: LoggedStanza[];
}

/**
 * A ring per line of what went over its wire. Memory is bounded over all lines together: the more
 * lines, the shorter each ring (never under 40 entries).
 */
export class StanzaLog {
  readonly #clock: Clock;
  readonly #rings = new Map<string, Ring>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(lineId: string | undefined, direction: 'in' | 'out', node: Node, note?: string): void {
    if (lineId === undefined) return;
    const ring = this.#ring(lineId);
    const entry: LoggedStanza = {
      seq: ring.next++,
      at: this.#clock.nowMs(),
      direction,
      tag: node.tag,
      attrs: shortened(node.attrs),
      children: Array.isArray(node.content) ? node.content.slice(0, CHILDREN_MAX).map((c) => c.tag) : [],
    };
    if (note !== undefined) entry.note = note;
    ring.entries.push(entry);
    const limit = Math.max(
      ENTRIES_PER_LINE_MIN,
      Math.min(ENTRIES_PER_LINE_MAX, Math.floor(ENTRIES_MAX / this.#rings.size)),
    );
    if (ring.entries.length > limit) ring.entries.splice(0, ring.entries.length - limit);
  }

  /** Adds a remark to the line's latest entry. */
  annotate(lineId: string | undefined, note: string): void {
    const last = lineId === undefined ? undefined : this.#rings.get(lineId)?.entries.at(-1);
    if (last) last.note = note;
  }

  /** Entries with a sequence number above `after`, oldest first. */
  of(lineId: string, after = 0): LoggedStanza[] {
    return this.#rings.get(lineId)?.entries.filter((entry) => entry.seq > after) ?? [];
  }

  clear(): void {
    this.#rings.clear();
  }

  #ring(lineId: string): Ring {
    const known = this.#rings.get(lineId);
    if (known) return known;
    const oldest = this.#rings.size >= LINES_MAX ? this.#rings.keys().next().value : undefined;
    if (oldest !== undefined) this.#rings.delete(oldest);
    const ring: Ring = { next: 1, entries: [] };
    this.#rings.set(lineId, ring);
    return ring;
  }
}

function shortened(attrs: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const key in attrs) {
    const value = attrs[key] ?? '';
    out[key] = value.length > ATTR_MAX_CHARS ? `${value.slice(0, ATTR_MAX_CHARS)}…` : value;
  }
  return out;
}
