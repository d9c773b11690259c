import { formatJid, type OutboundContent, SERVER_PN } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { CanaryFigures } from '../../core/canary.ts';
import type { Clock } from '../../core/clock.ts';
import { newMessageId, newOutboxId } from '../../core/ids.ts';
import type { Line } from '../../core/lines.ts';
import { within } from '../../core/within.ts';
import type { LineRouter } from '../../lines/workers/router.ts';
import type { Log } from '../../observe/logger.ts';
import { readCanaryRecord, writeCanaryRecord } from '../../store/access/canary-record.ts';
import type { Store } from '../../store/db/store.ts';
import { findLineUnowned } from '../../store/lines/lines.ts';
import { insertAccepted } from '../../store/sends/sends.ts';

export interface Canary {
  figures(): CanaryFigures;
  close(): void;
}

const FIRST_AFTER_MS = 5 * 60_000;
const EVERY_MS = 3_600_000;
/** Of the hour, to both sides. */
const JITTER = 0.1;
const WITHIN_MS = 2 * 60_000;

interface CanaryParts {
  store: Store;
  router: Pick<LineRouter, 'run'>;
  clock: Clock;
  log: Log;
  /** CANARY_LINE. */
  lineId: string | undefined;
  /** Of a fleet: whether this node is the one that does it. */
  isOurs?(): boolean;
}

/**
 * One line that writes to itself every hour: WhatsApp must acknowledge the message, and another
 * device of the number (its phone) must say that it has it, both within two minutes. WhatsApp does
 * not send a message back to the device that wrote it, so the phone's receipt stands for
 * "received".
 */
export async function openCanary({ lineId, ...parts }: CanaryParts): Promise<Canary | undefined> {
  if (lineId === undefined) return undefined;
  const { store, clock, log } = parts;
  let { lastSuccessAt } = await readCanaryRecord(store.db, lineId);
  let failures = 0;
  let cancel = () => {};
  const closing = new AbortController();

  async function sing(): Promise<void> {
    if (parts.isOurs?.() === false) return;
    const problem = await problemOf(lineId ?? '', parts, closing.signal).catch((error: unknown) =>
      error instanceof AppError ? error.message : String(error),
    );
    if (closing.signal.aborted) return;
    if (problem === null) lastSuccessAt = clock.now();
    else failures += 1;
    if (problem !== null) log.warn({ lineId, problem }, 'the canary line did not hear itself');
    await writeCanaryRecord(store.db, { lineId: lineId ?? '', lastSuccessAt, problem });
  }
  function next(delayMs: number): void {
    if (closing.signal.aborted) return;
    cancel = clock.after(delayMs, () => {
      sing()
        .catch((error: unknown) => log.warn({ error }, 'how the canary line does could not be written down'))
        .finally(() => next(EVERY_MS * (1 + JITTER * (2 * clock.random() - 1))));
    });
  }
  next(FIRST_AFTER_MS * (0.5 + clock.random()));
  return {
    figures: () => ({ lineId, lastSuccessAt, failures }),
    close() {
      closing.abort();
      cancel();
    },
  };
}

/** Null when the line heard itself. */
async function problemOf(
  lineId: string,
  { store, router, clock }: Omit<CanaryParts, 'lineId'>,
  closing: AbortSignal,
): Promise<string | null> {
  const line = await findLineUnowned(store.db, lineId);
  if (!line) return 'there is no such line';
  // Otherwise a message an hour would pile up until the line is back.
  if (line.status !== 'connected' || line.phone === null) return `the line is ${line.status}`;
  const { outboxId, messageId } = await acceptNote(store, line, line.phone, clock.now());
  const until = clock.monotonic() + WITHIN_MS;
  const inTime = <T>(work: Promise<T>) => within(clock, work, until - clock.monotonic(), closing);
  // The wait stands before the message leaves: commands reach the line in this order.
  const receipt = router.run(lineId, 'receipt.wait', { messageId, waitMs: WITHIN_MS }, { timeoutMs: 2 * WITHIN_MS });
  const sent = router.run(lineId, 'send', { outboxId }, { timeoutMs: WITHIN_MS });
  for (const each of [receipt, sent]) each.catch(() => {});
  const outcome = await inTime(sent);
  if (outcome?.state === 'failed') return `the message was refused: ${outcome.code}`;
  if (outcome?.state !== 'sent') return 'WhatsApp did not acknowledge the message within two minutes';
  const isHeard = (await inTime(receipt))?.received === true;
  return isHeard ? null : 'WhatsApp has the message, but no other device of the number received it in two minutes';
}

/** Accepts the message without counting it against any plan. */
async function acceptNote(
  store: Store,
  line: Line,
  phone: string,
  nowMs: number,
): Promise<{ outboxId: string; messageId: string }> {
  const [outboxId, messageId] = [newOutboxId(), newMessageId()];
  const body = `This line checks itself: ${new Date(nowMs).toISOString()}`;
  const accepted = await store.transaction(
    ({ db }) =>
      insertAccepted(db, {
        ...{ id: outboxId, messageId, accountId: line.accountId, lineId: line.id, acceptedAt: nowMs },
        to: formatJid(phone, SERVER_PN),
        content: JSON.stringify({ kind: 'text', body } satisfies OutboundContent),
      }),
    'full',
  );
  if (accepted === undefined) throw new AppError('line_not_found');
  return { outboxId, messageId };
}
