import type { EngineChange } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import type { LineCommands, TraceEntry, TracePage } from '../../core/line-commands.ts';
import { Redactor } from './redactor.ts';
import type { StanzaLooks } from './stanza-looks.ts';

const MINUTE_MS = 60_000;
/** What is kept of one line, whichever is reached first. */
const ENTRIES_MAX = 1_000;
const CHARACTERS_MAX = 256 * 1_024;
/** Entries of one answer. */
const PAGE = 200;
/** How long the last entries can be fetched after the end. */
const KEPT_AFTER_END_MS = MINUTE_MS;

/**
 * The stanzas of one line for as long as a trace is on, made unreadable before they are kept: in
 * memory only, the newest ones, off by itself when its time is over.
 */
export class StanzaTrace {
  readonly #looks: StanzaLooks;
  readonly #clock: Clock;
  /** Undefined while it is off. */
  #lookAway: (() => void) | undefined;
  #entries: TraceEntry[] = [];
  #characters = 0;
  #number = 0;
  #endsAt: number | null = null;
  #cancel: () => void = () => {};

  constructor(looks: StanzaLooks, clock: Clock) {
    this.#looks = looks;
    this.#clock = clock;
  }

  run(input: LineCommands['trace']['in']): TracePage {
    if (input.do === 'start') this.#start(input.minutes);
    if (input.do === 'stop' && this.#lookAway) this.#stop();
    return this.#page(input.do === 'read' ? input.after : this.#number);
  }

  /** Changes of the connection, among its stanzas. */
  heard(change: EngineChange): void {
    if (!this.#lookAway) return;
    if (change.type === 'open') this.#add('note', 'logged in');
    if (change.type === 'closed') {
      const code = change.serverCode === undefined ? '' : `, WhatsApp said ${change.serverCode}`;
      this.#add('note', `the connection ended: ${change.reason}${code}`);
    }
  }

  /** Nothing is kept, and nothing runs any more. */
  end(): void {
    this.#cancel();
    this.#lookAway?.();
    this.#lookAway = undefined;
    this.#forget();
  }

  #start(minutes: number): void {
    this.end();
    const redactor = new Redactor();
    this.#lookAway = this.#looks.add((direction, stanza) => this.#add(direction, redactor.write(stanza)));
    this.#endsAt = this.#clock.now() + minutes * MINUTE_MS;
    this.#cancel = this.#clock.after(minutes * MINUTE_MS, () => this.#stop());
  }

  #stop(): void {
    this.#cancel();
    this.#lookAway?.();
    this.#lookAway = undefined;
    this.#endsAt = this.#clock.now();
    this.#cancel = this.#clock.after(KEPT_AFTER_END_MS, () => this.#forget());
  }

  #forget(): void {
    this.#entries = [];
    this.#characters = 0;
  }

  #add(direction: TraceEntry['direction'], stanza: string): void {
    this.#entries.push({ number: ++this.#number, at: this.#clock.now(), direction, stanza });
    this.#characters += stanza.length;
    while (this.#entries.length > ENTRIES_MAX || this.#characters > CHARACTERS_MAX) {
      this.#characters -= this.#entries.shift()?.stanza.length ?? 0;
    }
  }

  #page(after: number): TracePage {
    const entries = this.#entries.filter(({ number }) => number > after).slice(0, PAGE);
    const cursor = entries.at(-1)?.number ?? this.#number;
    const lost = Math.max(0, cursor - after - entries.length);
    return { isOn: this.#lookAway !== undefined, endsAt: this.#endsAt, entries, cursor, lost };
  }
}
