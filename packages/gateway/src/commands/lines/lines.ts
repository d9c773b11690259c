import { AppError, invalid } from '../../core/app-error.ts';
import { newLineId } from '../../core/ids.ts';
import type { WorkerStats } from '../../core/line-commands.ts';
import type { Line } from '../../core/lines.ts';
import { DEFAULT_PACING, type Pacing } from '../../core/pacing.ts';
import { periodOf, quotaError } from '../../core/quota.ts';
import { inForce } from '../../core/restrictions.ts';
import { within } from '../../core/within.ts';
import { lineStanding } from '../../lines/connection/line-status.ts';
import type { LineProcessView } from '../../lines/workers/router.ts';
import type { Tx } from '../../store/db/store.ts';
import { findLineById, findLineByRef, insertLine, listLines, updateLine } from '../../store/lines/lines.ts';
import { countUsed, findTerms, lockAccount } from '../../store/sends/usage.ts';
import { accountCommand, lineCommand } from '../command.ts';
import { type Context, requireScope } from '../context.ts';
import { mayUseLine, requireWholeAccount } from '../line-limits.ts';
import { refreshQueue } from '../sends/refresh-queue.ts';
import {
  type BridgeWebhook,
  type BridgeWebhookChange,
  bridgeWebhookOf,
  changeBridgeWebhook,
  prepareBridgeWebhook,
} from '../webhooks/webhooks.ts';
import { deleteLine } from './delete-line.ts';
import type { LineName } from './find-line.ts';

/** A line, the process that hosts it, and where its events go in the Bridges format. */
export interface LineView {
  line: Line;
  process: LineProcessView;
  webhookUrl: string | null;
  /** Its Bridges bodies carry more than the published members. */
  hasDetails: boolean;
}

const START_WAIT_MS = 10_000;

/** A line's row, set right by what its process is. */
function standing({ clock }: Context, row: Line, process: LineProcessView): Line {
  const { status, reason, until, whatsappCode } = lineStanding(row, process);
  const isKept =
    ['logged_out', 'unpaired', 'pairing'].includes(status) && (row.credentialsKeptUntil ?? 0) > clock.now();
  const line = { ...row, credentialsKeptUntil: isKept ? row.credentialsKeptUntil : null };
  const ends = inForce(line.restrictions, clock.now()).map((one) => one.until);
  if (status === 'connected' && reason === null && ends.length > 0) {
    const end = ends.includes(null) ? null : Math.max(...ends.map(Number)) * 1_000;
    return { ...line, status, statusReason: 'restricted', statusUntil: end, statusCode: null };
  }
  return { ...line, status, statusReason: reason, statusUntil: until, statusCode: whatsappCode };
}

/** The line as it really stands, and its process. */
async function view(context: Context, line: Line): Promise<LineView> {
  const process = context.router.view(line.id);
  const webhook = await bridgeWebhookOf(context, line.id);
  return {
    line: standing(context, line, process),
    process,
    webhookUrl: webhook?.url ?? null,
    hasDetails: webhook?.hasDetails ?? false,
  };
}

/**
 * Creates the line of a customer_ref with its webhook, or answers the one that exists, unchanged.
 * Two at once make one line.
 */
export const ensureLine = accountCommand(
  { scope: 'lines:write', forLineKeys: 'own' },
  async (
    context: Context,
    input: { customerRef: string; label?: string; webhook?: BridgeWebhook },
  ): Promise<LineView> => {
    // A webhook reads every message of the line.
    if (input.webhook) requireScope(context.caller, 'webhooks:write');
    return view(context, (await ownLine(context, input.customerRef)) ?? (await createLine(context, input)));
  },
);

/** Creates a line, or answers the existing one when it has a customer_ref that is taken. */
export const addLine = accountCommand(
  { scope: 'lines:write', forLineKeys: 'own' },
  async (context: Context, input: { customerRef?: string; label?: string }): Promise<LineView> => {
    return view(context, (await ownLine(context, input.customerRef)) ?? (await createLine(context, input)));
  },
);

/** The line that has a customer_ref already; a key that is limited to lines makes no new one. */
async function ownLine(context: Context, customerRef: string | undefined): Promise<Line | undefined> {
  const known = customerRef && (await findLineByRef(context.store.db, ownerOf(context), customerRef));
  if (known && mayUseLine(context.caller, known.id)) return known;
  requireWholeAccount(context.caller, 'It cannot make new ones.');
  return undefined;
}

async function createLine(
  context: Context,
  input: { customerRef?: string; label?: string; webhook?: BridgeWebhook },
): Promise<Line> {
  const id = newLineId();
  const owner = ownerOf(context);
  const webhook = input.webhook && (await prepareBridgeWebhook(context, id, input.webhook));
  const line = await context.store.transaction(async (tx) => {
    await checkLineQuota(context, tx);
    const isNew = await insertLine(tx.db, {
      id,
      owner,
      customerRef: input.customerRef ?? null,
      label: input.label ?? null,
      createdAt: context.clock.now(),
    });
    if (isNew && webhook) await webhook(tx);
    if (isNew || input.customerRef === undefined) return findLineById(tx.db, owner, id);
    return findLineByRef(tx.db, owner, input.customerRef);
  });
  if (!line) throw new AppError('server_error', {}, { cause: new Error('a line was neither created nor found') });
  if (line.id === id) await startLine(context, id);
  return line;
}

/**
 * The row exists: the line runs now, or as soon as a worker is free. A slow start delays the answer
 * by ten seconds at most.
 */
async function startLine(context: Context, id: string): Promise<void> {
  const started = context.router.start(id).catch((error: unknown) => {
    context.log.warn({ error, lineId: id }, 'starting a new line failed; the supervisor tries again');
  });
  await within(context.clock, started, START_WAIT_MS);
}

async function checkLineQuota(context: Context, tx: Tx): Promise<void> {
  const { account, caller } = context;
  const nowMs = context.clock.now();
  const period = periodOf(nowMs, account.cycleAnchor);
  await lockAccount(tx.db, account.id);
  // The plan is read while no other request can add a line: it may have changed since this one
  // came.
  const { limits, plan } = (await findTerms(tx.db, account.id)) ?? account;
  if (limits.lines === null) return;
  const used = await countUsed(tx.db, 'lines', { accountId: account.id, mode: caller.mode, period });
  if (used >= limits.lines) throw quotaError({ metric: 'lines', used, limit: limits.lines, plan, period, nowMs });
}

const ownerOf = ({ caller }: Context) => ({ accountId: caller.accountId, mode: caller.mode });

export const getLine = lineCommand({ scope: 'lines:read' }, (context: Context, line, _: { line: LineName }) =>
  view(context, line),
);

/** Every line of the account and mode, oldest first. */
export const allLines = accountCommand(
  { scope: 'lines:read', forLineKeys: 'own' },
  async (context: Context, _: object) => {
    const lines = await listLines(context.store.db, ownerOf(context));
    return lines
      .filter(({ id }) => mayUseLine(context.caller, id))
      .map((line): Omit<LineView, 'webhookUrl' | 'hasDetails'> => {
        const process = context.router.view(line.id);
        return { line: standing(context, line, process), process };
      });
  },
);

/** Changes label, customer_ref and pacing; absent ones stay. A null pacing is the default one. */
export const patchLine = lineCommand(
  { scope: 'lines:write' },
  async (
    context: Context,
    line,
    input: { line: LineName; label?: string | null; customerRef?: string | null; pacing?: Partial<Pacing> | null },
  ): Promise<LineView> => {
    const pacing = input.pacing ? wholePacing(input.pacing) : input.pacing;
    const change = { label: input.label, customerRef: input.customerRef, pacing };
    await context.store.transaction(async (tx) => {
      const other = change.customerRef ? await findLineByRef(tx.db, ownerOf(context), change.customerRef) : undefined;
      if (other && other.id !== line.id) {
        throw invalid('customer_ref', 'Another line of this account has this customer_ref. Use a different one.');
      }
      await updateLine(tx.db, line.id, change);
    });
    if (pacing !== undefined) refreshQueue(context, line.id);
    return view(context, {
      ...line,
      label: change.label === undefined ? line.label : change.label,
      customerRef: change.customerRef === undefined ? line.customerRef : change.customerRef,
    });
  },
);

function wholePacing(given: Partial<Pacing>): Pacing {
  const pacing = { ...DEFAULT_PACING, ...given };
  if (pacing.minGapMs <= pacing.maxGapMs) return pacing;
  throw invalid('pacing.min_gap_ms', 'The smallest gap must not be larger than max_gap_ms.');
}

/** Points a line's Bridges webhook somewhere else; a null url takes it away. */
export const setWebhook = lineCommand(
  { scope: 'webhooks:write' },
  async (context: Context, line, input: { line: LineName } & BridgeWebhookChange): Promise<LineView> => {
    await changeBridgeWebhook(context, line.id, input);
    return view(context, line);
  },
);

/** Unlinks at WhatsApp when it can (5 s at most), stops the line and deletes everything of it. */
export const removeLine = lineCommand(
  { scope: 'lines:write' },
  async (context: Context, line, _: { line: LineName }) => {
    await deleteLine(context, line);
    return {};
  },
);

/** Figures of the process that hosts the line; `unavailable` when it does not answer. */
export const lineStats = lineCommand(
  { scope: 'lines:read' },
  async (context: Context, line, _: { line: LineName }): Promise<LineStats> => {
    const { router, media } = context;
    const stats = await router.run(line.id, 'stats', {}, { timeoutMs: 5_000 }).catch((error: unknown) => {
      // WhatsApp was not asked anything.
      const isSilent = error instanceof AppError && error.code === 'whatsapp_timeout';
      throw isSilent ? new AppError('unavailable', {}, { cause: error }) : error;
    });
    return { ...stats, cachedFiles: media.cache.countOf(line.id) };
  },
);

/**
 * Figures of the process that hosts a line, and the line's downloaded files that are kept at the
 * moment.
 */
export interface LineStats extends WorkerStats {
  cachedFiles: number;
}
