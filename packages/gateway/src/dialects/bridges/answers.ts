import { bareJid } from '@ponte/engine';
import type { CheckedNumber } from '../../commands/contacts/check-numbers.ts';
import type { LineStats, LineView } from '../../commands/lines/lines.ts';
import type { Sent } from '../../commands/sends/sends.ts';
import { qrPng, qrSvg, qrText } from '../../http/qr-image.ts';
import { type Answer, json } from '../../http/route.ts';
import { standingMembers } from '../../http/standing-schema.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();

type Listed = Pick<LineView, 'line' | 'process'>;

/** What the integer id, the ref and the process state look like to a Bridges caller. */
export const provisioned = ({ line, process }: Listed) => ({
  id: line.number,
  customer_ref: line.customerRef,
  state: process.state,
});

export const listed = (view: Listed) => ({ ...provisioned(view), created_at: rfc3339(view.line.createdAt) });

export const detailed = (view: LineView) => ({
  ...listed(view),
  webhook_url: view.webhookUrl,
  line_id: view.line.id,
  status: view.line.status,
  manager: {
    health: view.process.health,
    started_at: view.process.startedAt === null ? null : rfc3339(view.process.startedAt),
    fail_count: view.process.failCount,
    worker: view.process.worker,
  },
  ...standingMembers(view.line),
});

/** Phone, jid and name are said while connected only; why it stands so, when there is a reason. */
export function connection({ line }: LineView) {
  const why = line.statusReason === null ? {} : standingMembers(line);
  if (line.status !== 'connected') return { status: line.status, ...why };
  return {
    status: line.status,
    phone: line.phone ?? '',
    jid: line.jid === null ? '' : bareJid(line.jid),
    name: line.name ?? '',
    ...why,
  };
}

/** 200 once WhatsApp has it, 202 while it waits. */
export function sent(result: Sent): Answer {
  const body = { message_id: result.messageId, timestamp: result.timestamp };
  return result.state === 'sent' ? json(200, body) : json(202, { ...body, status: 'queued' });
}

const NO_STORE = { 'cache-control': 'no-store' };

/** The QR in the form asked for. Never cached: it changes every few seconds. */
export function qr(format: 'png' | 'svg' | 'text' | 'json', code: { data: string; expiresAt: number }): Answer {
  if (format === 'json') return json(200, { qr: code.data, expires_at: rfc3339(code.expiresAt) }, NO_STORE);
  const bytes = {
    png: () => ({ contentType: 'image/png', data: qrPng(code.data) }),
    svg: () => ({ contentType: 'image/svg+xml', data: qrSvg(code.data) }),
    text: () => ({ contentType: 'text/plain; charset=utf-8', data: qrText(code.data) }),
  }[format]();
  return { status: 200, bytes, headers: NO_STORE };
}

/** `is_business` is said for numbers that exist only. */
export const checked = (numbers: CheckedNumber[]) =>
  numbers.map(({ phone, registered, isBusiness }) =>
    registered ? { phone, registered, is_business: isBusiness } : { phone, registered },
  );

const MEBIBYTE = 1_048_576;
const inMebibytes = (bytes: number): number => Math.round(bytes / MEBIBYTE);

/**
 * The published keys speak of another runtime's memory: the nearest figures of ours, and null where
 * it has none. Node has no goroutines, counts no objects (only a dump of the whole heap would), and
 * does not say when it collects next.
 */
export const stats = (of: LineStats) => ({
  goroutines: null,
  heap_alloc_mb: inMebibytes(of.heapUsedBytes),
  heap_sys_mb: inMebibytes(of.heapTotalBytes),
  heap_objects: null,
  total_alloc_mb: of.totalAllocatedBytes === null ? null : inMebibytes(of.totalAllocatedBytes),
  gc_cycles: of.gcCycles,
  next_gc_mb: null,
  media_cache_size: of.cachedFiles,
  worker: of.worker,
  lines_in_worker: of.linesInWorker,
  event_loop_lag_ms: of.eventLoopLagMs,
});
