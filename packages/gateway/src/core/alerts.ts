import type { ProblemKind } from './problems.ts';

/** Where a person is alerted. */
export interface AlertWishes {
  /** By e-mail to the address they sign in with. */
  hasEmail: boolean;
  /** Where alerts are posted; null = nowhere. */
  url: string | null;
  /** Alerts say what a message that waits for a yes contains. */
  hasTexts: boolean;
}

/** What an alert is about. Never what was written: that is read when it is sent, if at all. */
export interface AlertFacts {
  about: ProblemKind | 'approval' | 'test';
  /** The line, webhook or approval; `machine`. */
  subject: string;
  lineId: string | null;
  reason: string | null;
  /** Unix milliseconds. */
  since: number;
  /** True: it is over. */
  resolved: boolean;
}

/** One alert for one person on one way. */
export interface Alert {
  id: string;
  userId: string;
  channel: 'email' | 'webhook';
  facts: AlertFacts;
  /** Failed ones so far. */
  attempts: number;
  createdAt: number;
}

const MINUTE_MS = 60_000;
/** Waits between attempts; after the last one the alert is given up. */
const WAITS_MS: readonly number[] = [0.5, 2, 10, 30, 120, 360].map((minutes) => minutes * MINUTE_MS);
const JITTER = 0.2;

/** When to try again after the `attempts`-th failure (1 = the first); undefined: no more. */
export function nextAlertDelayMs(attempts: number, random: number): number | undefined {
  const base = WAITS_MS[attempts - 1];
  return base === undefined ? undefined : Math.round(base * (1 - JITTER + 2 * JITTER * random));
}
