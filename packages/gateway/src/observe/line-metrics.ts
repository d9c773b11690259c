import { Counter, Histogram, type Registry } from 'prom-client';
import type { Mode } from '../core/lines.ts';

/**
 * What lines of one mode did. Counted where it happens (the worker), added up in the main process
 * (`worker-metrics.ts`). Labels come from closed lists only, so their number is bounded.
 */
export interface LineMetrics {
  /** A message from another person was journaled. */
  received(kind: string): void;
  /** A received stanza became events; since it was durable. */
  journaled(afterMs: number): void;
  /** An accepted send ended. `afterMs`: since its acceptance, or its time when it was scheduled. */
  ended(kind: string, outcome: 'sent' | 'failed', afterMs: number): void;
  /** WhatsApp acknowledged a message; since it went on the wire. */
  acknowledged(afterMs: number): void;
  /** A line is connected: for the first time in this process, or again. */
  connected(kind: 'first' | 'again'): void;
  disconnected(reason: string): void;
}

/** Seconds; from one local round trip to the longest wait of a caller. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** A kind or reason that is no short word in our own alphabet is counted as `other`. */
const WORD = /^[a-z][a-z_0-9]{0,39}$/;
const word = (text: string): string => (WORD.test(text) ? text : 'other');

export function createLineMetrics(registry: Registry): (mode: Mode) => LineMetrics {
  const registers = [registry];
  const messages = new Counter({
    name: 'ponte_messages_total',
    help: 'Messages received (journaled) and sends that ended, by mode, direction, kind and outcome.',
    labelNames: ['mode', 'direction', 'kind', 'outcome'],
    registers,
  });
  const send = new Histogram({
    name: 'ponte_send_seconds',
    help: 'From the acceptance of a send (its due time, when scheduled) to the acknowledgement by WhatsApp.',
    labelNames: ['mode'],
    buckets: SECONDS,
    registers,
  });
  const acknowledgement = new Histogram({
    name: 'ponte_acknowledgement_seconds',
    help: 'From a message on the wire to the acknowledgement by WhatsApp.',
    labelNames: ['mode'],
    buckets: SECONDS,
    registers,
  });
  const journal = new Histogram({
    name: 'ponte_inbound_journal_seconds',
    help: 'From a received stanza that is durable to its event in the journal.',
    labelNames: ['mode'],
    buckets: SECONDS,
    registers,
  });
  const connects = new Counter({
    name: 'ponte_line_connects_total',
    help: 'Logins of lines at WhatsApp that succeeded: the first of this process, or again.',
    labelNames: ['mode', 'kind'],
    registers,
  });
  const disconnects = new Counter({
    name: 'ponte_line_disconnects_total',
    help: 'Connections of lines that ended, by reason.',
    labelNames: ['mode', 'reason'],
    registers,
  });
  return (mode) => ({
    received: (kind) => messages.inc({ mode, direction: 'in', kind: word(kind), outcome: 'received' }),
    journaled: (afterMs) => journal.observe({ mode }, seconds(afterMs)),
    ended(kind, outcome, afterMs) {
      messages.inc({ mode, direction: 'out', kind: word(kind), outcome });
      if (outcome === 'sent') send.observe({ mode }, seconds(afterMs));
    },
    acknowledged: (afterMs) => acknowledgement.observe({ mode }, seconds(afterMs)),
    connected: (kind) => connects.inc({ mode, kind }),
    disconnected: (reason) => disconnects.inc({ mode, reason: word(reason) }),
  });
}

/** Wall clocks may step back; a duration never is negative. */
const seconds = (ms: number): number => Math.max(0, ms) / 1_000;

/** For tools and tests. */
export const noLineMetrics: LineMetrics = {
  received: () => {},
  journaled: () => {},
  ended: () => {},
  acknowledged: () => {},
  connected: () => {},
  disconnected: () => {},
};
