import type { CloseReason } from '@ponte/engine';
import { LINE_REASONS, type LineReason } from '../../core/line-reasons.ts';
import type { LineStanding, LineStatus } from '../../core/lines.ts';
import { backoffMs } from '../../core/retry.ts';

/*
 * The life of a line, as a pure function.
 *
 * unpaired ──pairing asked──► pairing ──scanned──► connecting ──logged in──► connected
 *    ▲            │ QR ran out, refused                ▲                        │ lost, refused,
 * taken over
 *    └────────────┘                                    └── back-off ◄── disconnected
 * logged_out: the owner removed the device (or WhatsApp did); as good as unpaired, but said apart.
 *
 * A 515 (`restart_required`) is WhatsApp's way of saying "once more", as after every pairing: it is
 * no change at all. While a lost connection is tried again the line stays `disconnected`:
 * `connecting` is said only before a first connection.
 */

/** What a line remembers to decide; nothing of it needs to survive the process. */
export interface LineModel {
  readonly status: LineStatus;
  readonly reason: LineReason | null;
  /** Unix milliseconds of the told end of what `reason` says. */
  readonly until: number | null;
  /** WhatsApp's own code behind it. */
  readonly whatsappCode: number | null;
  readonly isPaired: boolean;
  /** Failed attempts since the last connection that held. */
  readonly failures: number;
  /** 515s since the last login. */
  readonly restarts: number;
  /** Monotonic milliseconds; null while not logged in. */
  readonly openedAt: number | null;
  /** Monotonic milliseconds of the recent take-overs (440). */
  readonly replacedAt: readonly number[];
}

export type LineSignal =
  | { type: 'started'; isPaired: boolean }
  | { type: 'pairing_requested' }
  | { type: 'paired' }
  | { type: 'opened'; atMs: number }
  | {
      type: 'closed';
      reason: CloseReason;
      /** Monotonic. */
      atMs: number;
      random: number;
      /** How long WhatsApp asks to stay away (temporary ban). */
      retryInMs?: number;
      /** The same as a moment: Unix milliseconds. */
      until?: number;
      whatsappCode?: number;
    }
  /** A newer version of the client may be announced now. */
  | { type: 'client_changed'; random: number }
  /** Unlinked because the caller asked. */
  | { type: 'unlinked' };

/** What to do next. */
export type LineStep =
  | { type: 'stay' }
  /** Connect after the delay; 0 = at once. */
  | { type: 'connect'; delayMs: number }
  /**
   * After the delay ask the store for a sign of life; connect when it answers, else tell
   * `store_failed` again.
   */
  | { type: 'probe_store'; delayMs: number };

/** A connection that held this long clears the count of failures. */
export const STABLE_AFTER_MS = 60_000;
/** After a take-over: never sooner, so that two owners of one identity do not fight. */
export const REPLACED_WAIT_MS = 60_000;
export const REPLACED_WINDOW_MS = 10 * 60_000;
export const REPLACED_LIMIT = 3;
/** WhatsApp told no end of a temporary ban. */
export const UNKNOWN_BAN_MS = 60 * 60_000;
/** More 515s than this without a login are a failing server, not an invitation. */
export const RESTART_LIMIT = 5;

/** Lines that were all refused at once do not all come back at once. */
export const CHANGED_SPREAD_MS = 2_000;

const STAY: LineStep = { type: 'stay' };

/** The model of a line as its row says it stood when the process began. */
export function initialModel(status: LineStatus, reason: LineReason | null): LineModel {
  return {
    ...{ status, reason, until: null, whatsappCode: null },
    ...{ isPaired: false, failures: 0, restarts: 0, openedAt: null, replacedAt: [] },
  };
}

/** What a model says of the line. */
export const standingOf = ({ status, reason, until, whatsappCode }: LineModel): LineStanding => ({
  ...{ status, reason, until, whatsappCode },
});

/** Without a word about why. */
const FINE = { reason: null, until: null, whatsappCode: null } as const;

/** The next model and the one thing to do. */
export function nextState(model: LineModel, signal: LineSignal): { model: LineModel; step: LineStep } {
  switch (signal.type) {
    case 'started':
      return signal.isPaired
        ? { model: connecting({ ...model, isPaired: true }), step: { type: 'connect', delayMs: 0 } }
        : { model: atRest(model), step: STAY };
    case 'pairing_requested':
      return { model: { ...model, ...FINE, status: 'pairing', failures: 0, restarts: 0 }, step: STAY };
    case 'paired':
      return { model: connecting({ ...model, isPaired: true }), step: STAY };
    case 'opened':
      return {
        model: { ...model, ...FINE, status: 'connected', isPaired: true, restarts: 0, openedAt: signal.atMs },
        step: STAY,
      };
    case 'unlinked':
      return { model: { ...initialModel('unpaired', null) }, step: STAY };
    case 'client_changed':
      if (!model.isPaired || model.reason !== 'client_outdated') return { model, step: STAY };
      return { model, step: { type: 'connect', delayMs: Math.round(signal.random * CHANGED_SPREAD_MS) } };
    case 'closed':
      return model.isPaired ? closedWhilePaired(model, signal) : closedWhilePairing(model, signal);
  }
}

const connecting = (model: LineModel): LineModel => ({ ...model, ...FINE, status: 'connecting' });

/** Not paired at the start: `logged_out` stays said; everything else is `unpaired`. */
function atRest(model: LineModel): LineModel {
  if (model.status === 'logged_out') return { ...model, isPaired: false };
  const why = model.status === 'unpaired' ? {} : FINE;
  return { ...model, ...why, isPaired: false, status: 'unpaired' };
}

type Closed = Extract<LineSignal, { type: 'closed' }>;

function closedWhilePairing(model: LineModel, signal: Closed): { model: LineModel; step: LineStep } {
  const { reason } = signal;
  const why = reason === 'closed' ? FINE : toldBy(signal, reason === 'restart_required' ? 'pairing_failed' : reason);
  return { model: { ...model, ...why, status: 'unpaired', openedAt: null }, step: STAY };
}

/** Why it ended, with what WhatsApp said of it. */
const toldBy = (signal: Closed, reason: LineReason) => ({
  reason,
  until: signal.until ?? null,
  whatsappCode: signal.whatsappCode ?? null,
});

function closedWhilePaired(model: LineModel, signal: Closed): { model: LineModel; step: LineStep } {
  const held = model.openedAt !== null && signal.atMs - model.openedAt >= STABLE_AFTER_MS;
  const base: LineModel = { ...model, openedAt: null, failures: held ? 0 : model.failures };
  const down = (reason: LineReason): LineModel => ({ ...base, ...toldBy(signal, reason), status: 'disconnected' });
  switch (signal.reason) {
    case 'closed':
      return { model: base, step: STAY };
    case 'restart_required':
      return base.restarts < RESTART_LIMIT
        ? { model: { ...base, restarts: base.restarts + 1 }, step: { type: 'connect', delayMs: 0 } }
        : backOff(down('server_unavailable'), signal.random, 'connect');
    case 'logged_out':
      return { model: { ...initialModel('logged_out', null), ...toldBy(signal, 'logged_out') }, step: STAY };
    case 'replaced':
      return replaced(base, signal);
    case 'temporarily_banned':
      return { model: down('temporarily_banned'), step: { type: 'connect', delayMs: banWaitMs(signal) } };
    case 'banned':
    case 'client_outdated':
    case 'untrusted_server':
      return { model: down(signal.reason), step: STAY };
    case 'store_failed':
      return backOff(down('store_failed'), signal.random, 'probe_store');
    case 'connection_lost':
    case 'server_unavailable':
      return backOff(down(signal.reason), signal.random, 'connect');
    // Words of pairing from a paired line: the attempt failed, and the pairing itself still stands.
    case 'pairing_expired':
    case 'pairing_failed':
    case 'passkey_required':
      return backOff(down('server_unavailable'), signal.random, 'connect');
  }
}

function backOff(
  model: LineModel,
  random: number,
  type: 'connect' | 'probe_store',
): { model: LineModel; step: LineStep } {
  return {
    model: { ...model, failures: model.failures + 1, restarts: 0 },
    step: { type, delayMs: backoffMs(model.failures, random) },
  };
}

/**
 * Another client uses this identity. One reconnect after a minute; after the third time in ten
 * minutes the line no longer competes for it.
 */
function replaced(base: LineModel, signal: Closed): { model: LineModel; step: LineStep } {
  const replacedAt = [...base.replacedAt.filter((at) => signal.atMs - at < REPLACED_WINDOW_MS), signal.atMs];
  const model: LineModel = { ...base, ...toldBy(signal, 'replaced'), status: 'disconnected', replacedAt };
  if (replacedAt.length >= REPLACED_LIMIT) return { model: { ...model, reason: 'conflict' }, step: STAY };
  return {
    model,
    step: { type: 'connect', delayMs: REPLACED_WAIT_MS + Math.round(signal.random * (REPLACED_WAIT_MS / 2)) },
  };
}

/** The told end of the ban and up to a minute more; never at once. */
function banWaitMs(signal: Closed): number {
  return Math.max(1_000, signal.retryInMs ?? UNKNOWN_BAN_MS) + Math.round(signal.random * 60_000);
}

const isFinal = (reason: LineReason | null): boolean => reason !== null && LINE_REASONS[reason].isFinal;

/** What was last written into the journal about a line's status; null for a new line. */
export interface ToldStatus {
  status: LineStatus;
  reason: LineReason | null;
}

/**
 * Whether the journal must hear of it. `connecting` is never told: it is on its way somewhere.
 * Neither is a status that was told already, unless a disconnected line became one that no longer
 * tries.
 */
export function isNews(told: ToldStatus | null, now: ToldStatus): boolean {
  if (now.status === 'connecting') return false;
  const before = told ?? { status: 'unpaired', reason: null };
  if (before.status !== now.status) return true;
  return now.status === 'disconnected' && now.reason !== before.reason && isFinal(now.reason);
}

/**
 * States in which a waiting send will not leave any more: it fails now and says so, instead of
 * leaving by surprise days later.
 */
export function isHopeless(model: Pick<LineModel, 'status' | 'reason' | 'isPaired'>): boolean {
  return !model.isPaired || model.reason === 'banned';
}
