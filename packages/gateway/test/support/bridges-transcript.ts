import type { BridgesWalk } from './bridges-walk.ts';
import { transcript } from './transcript.ts';

/** Values that differ from run to run, by the member they stand in. */
const FIXED: Record<string, unknown> = {
  timestamp: 1777180605,
  created_at: '2026-04-26T05:16:45.000Z',
  started_at: '2026-04-26T05:16:45.000Z',
  requested_at: '2026-04-26T05:16:45.000Z',
  line_id: 'line_V7cLrtGPQ2ysXh3kTnbd',
  picture_id: '12345678901',
  call_id: 'ABCDEF123456',
  heap_alloc_mb: 14,
  heap_sys_mb: 32,
  total_alloc_mb: null,
  gc_cycles: 3,
  event_loop_lag_ms: 0.5,
  total: 1,
  messages: 1,
  notifications: 0,
  receipts: 0,
  app_data_changes: 0,
  count: 1,
};
/** What else does, by its form; the same one has the same name everywhere. */
const NAMED: [form: RegExp, name: (number: string) => string][] = [
  [/\b3[AE][0-9A-F]{16,30}\b/g, (number) => `3EB0A1B2C3D4E5F60718${number}`],
  [/\b\d{13,16}@lid\b/g, (number) => `1000000000000${number}@lid`],
  [/\b\d{10,}@g\.us\b/g, (number) => `1203630000000000${number}@g.us`],
  [/(?<=chat\.whatsapp\.com(?:\/|%2F)|"code":")[\w-]{22}\b/g, (number) => `AbCdEfGhIjKlMnOpQrSt${number}`],
  [/(?<="code":")[1-9A-Z]{4}-[1-9A-Z]{4}/g, () => 'ABCD-EFGH'],
  [/(?<=wa\.me\/qr\/)\w+/g, () => 'ABCDEFGHIJKL'],
];

const HEADING = `# The Bridges API, as it is spoken

Every operation and every webhook of the Bridges API, recorded between a running gateway and the simulated network. What differs from run to run (ids,
times, codes, memory) stands here with fixed values; all else is as it went over the wire. \`npm run transcript\` records it anew, and a test compares.

All requests carry \`Authorization: Bearer $WA_API_KEY\`, but \`healthz\`.
`;

/**
 * A recorded walk as a document. Equal walks give equal documents; `places` are the addresses of
 * this run, and how to call them.
 */
export function transcriptOf(walk: BridgesWalk, places: Record<string, string>): string {
  return transcript(walk.exchanges, [...walk.webhooks], {
    ...{ heading: HEADING, fixed: FIXED, forms: NAMED, places },
    webhooks: 'Each is a POST to the `webhook_url` of the bridge.',
  });
}
