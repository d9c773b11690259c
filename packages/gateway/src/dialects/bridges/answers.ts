import { bareJid, type Party, phoneOf } from '@ponte/engine';
import type { MessageReport } from '../../commands/chats/chats.ts';
import type { CheckedNumber } from '../../commands/contacts/check-numbers.ts';
import type { LineStats, LineView } from '../../commands/lines/lines.ts';
import type { Sent } from '../../commands/sends/sends.ts';
import { contentAnswer } from '../../http/message-content.ts';
import { changesAnswer, mentionsAnswer, nuances } from '../../http/message-nuances.ts';
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
  webhook_details: view.hasDetails,
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
    ...(line.lid === null ? {} : { lid: bareJid(line.lid) }),
    ...why,
  };
}

/** 200 once WhatsApp has it, 202 while it waits, or while it is unknown whether it arrived. */
export function sent(result: Sent): Answer {
  const body = { message_id: result.messageId, timestamp: result.timestamp };
  return result.state === 'sent' ? json(200, body) : json(202, { ...body, status: result.state });
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
  numbers.map(({ phone, registered, isBusiness, jid, username }) =>
    registered
      ? { phone, registered, is_business: isBusiness, jid, ...(username === undefined ? {} : { username }) }
      : { phone, registered },
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

/** The number's address when it is known, else the LID; digits of a number only. */
const person = ({ jid, pn }: Party) => ({ contact_id: bareJid(pn ?? jid), phone: phoneOf(pn ?? jid) ?? '' });

/** A message with everything that is known of it, in the words of the message event. */
export const oneMessage = ({ message: of, readers, error }: MessageReport) => ({
  message_id: of.messageId,
  ...person(of.facts.sender),
  chat_id: of.chat,
  name: of.name,
  body: of.body,
  type: of.kind,
  media_type: of.facts.content.media?.mimeType ?? '',
  is_group: of.facts.isGroup,
  from_me: of.fromMe,
  timestamp: of.timestamp,
  quoted_message_id: of.facts.quotedId ?? '',
  mentions: mentionsAnswer(of.facts),
  ...nuances(of.facts),
  ...changesAnswer(of.facts),
  status: of.status,
  ...(error ? { error: error.code } : {}),
  ...(readers
    ? {
        readers: readers.map(({ party, name, deliveredAt, readAt, playedAt }) => ({
          ...person(party),
          name,
          delivered_at: deliveredAt,
          read_at: readAt,
          played_at: playedAt,
        })),
      }
    : {}),
  content: contentAnswer(of.facts.content),
});
