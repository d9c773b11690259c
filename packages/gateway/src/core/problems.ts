import type { LineReason } from './line-reasons.ts';
import type { LineStatus, Mode } from './lines.ts';

/**
 * What can be wrong with an account's lines and webhooks, and with the machine. `line_down`: a
 * paired line without its connection; `queue_stuck`: messages wait although their line is
 * connected; `webhook_failing`: it fails, or was switched off for it; `disk_low` and `clock_off`
 * belong to the installation.
 */
export type ProblemKind = 'line_down' | 'queue_stuck' | 'webhook_failing' | MachineProblemKind;

export type MachineProblemKind = 'disk_low' | 'clock_off';

export const isOfMachine = (kind: ProblemKind): kind is MachineProblemKind =>
  kind === 'disk_low' || kind === 'clock_off';

/** One thing that is wrong. */
export interface Problem {
  accountId: string;
  mode: Mode;
  kind: ProblemKind;
  /** The id of the line or webhook, or `machine`. */
  subject: string;
  /** The line it concerns; null for a webhook of all lines. */
  lineId: string | null;
  /** Why, as far as it is known: a reason of the line, or `failing` or `gone` of a webhook. */
  reason: string | null;
}

/** A problem that is kept: since when it has been there, and when it was told. */
export interface KnownProblem extends Problem {
  since: number;
  toldAt: number | null;
}

/** What the events of problems tell. */
export interface LineProblemFacts {
  problem: 'line_down' | 'queue_stuck';
  status: LineStatus;
  reason: LineReason | null;
  /** Unix milliseconds. */
  since: number;
  /** True: it is over. */
  resolved: boolean;
}

export const problemKey = (of: Pick<Problem, 'mode' | 'kind' | 'subject'>): string =>
  `${of.mode} ${of.kind} ${of.subject}`;
