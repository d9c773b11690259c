import type { BridgesWalk, Exchange } from './bridges-walk.ts';

type Json = Record<string, unknown>;

/** Values that differ from run to run, by the member they stand in. */
const FIXED: Json = {
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

/**
 * WhatsApp lists the members of a group in the order of their LIDs, which differ from run to run.
 */
function inOrder(list: unknown[]): unknown[] {
  const people = list as { phone?: string; role?: string }[];
  const isMembers = people.some((one) => typeof one === 'object' && one?.role !== undefined);
  return isMembers ? people.toSorted((a, b) => String(a.phone).localeCompare(String(b.phone))) : list;
}

/** Fixed values in the members that need them. */
function steady(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return inOrder(value).map((item) => steady(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, steady(member, name)]));
  }
  return value !== null && key in FIXED ? FIXED[key] : value;
}

/** Fixed names for whatever has a form of its own, numbered as they come. */
function named(text: string, places: Record<string, string>): string {
  let result = Object.entries(places).reduce((so, [of, name]) => so.replaceAll(of, name), text);
  for (const [form, name] of NAMED) {
    const seen = new Map<string, string>();
    result = result.replaceAll(form, (found) => {
      const known = seen.get(found) ?? name(String(seen.size + 1).padStart(2, '0'));
      seen.set(found, known);
      return known;
    });
  }
  return result;
}

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
  const parts = [HEADING];
  let tag = '';
  for (const exchange of walk.exchanges) {
    if (exchange.row.tag !== tag) {
      tag = exchange.row.tag;
      parts.push(`## ${tag}\n`);
    }
    parts.push(exchangeOf(exchange));
  }
  parts.push('## Webhooks\n\nEach is a POST to the `webhook_url` of the bridge.\n');
  for (const [event, body] of walk.webhooks) {
    parts.push(`### \`${event}\`\n\n\`\`\`json\n${JSON.stringify(steady(body))}\n\`\`\`\n`);
  }
  return named(parts.join('\n'), places);
}

function exchangeOf({ row, path, request, status, contentType, answer }: Exchange): string {
  const asked = request === undefined ? [] : [JSON.stringify(steady(request))];
  const bytes = contentType === '' ? [] : [`(${contentType})`];
  const said = answer === undefined ? bytes : [JSON.stringify(steady(answer))];
  const lines = [`${row.method} ${path}`, ...asked, '', String(status), ...said];
  return `### ${row.summary}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
}
