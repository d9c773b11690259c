import { remedyOf, toReason } from '../core/line-reasons.ts';
import type { Installation } from '../installation.ts';
import { listAllRows } from '../store/lines/line-row.ts';
import { CommandFailed, isoTime, type Output, print, table, UsageError } from './output.ts';
import { ofLine, type ServerOptions, withServer } from './server-api.ts';

interface Listed {
  line_id: string;
  mode: string;
  customer_ref: string | null;
  label: string | null;
  status: string;
  phone: string | null;
  name: string | null;
  /** Missing from servers of the first versions. */
  status_reason?: string | null;
  status_until?: string | null;
  status_remedy?: string | null;
}

function printLines(lines: Listed[], asJson: boolean | undefined, out: Output): void {
  const why = (l: Listed) => (l.status_until ? `${l.status_reason} until ${l.status_until}` : l.status_reason);
  print(out, asJson, { lines }, () =>
    [
      table(
        ['LINE', 'REF', 'LABEL', 'MODE', 'STATUS', 'REASON', 'PHONE', 'NAME'],
        lines.map((l) => [l.line_id, l.customer_ref, l.label, l.mode, l.status, why(l) ?? null, l.phone, l.name]),
      ),
      ...lines.flatMap((l) => (l.status_remedy ? [`${l.line_id}: ${l.status_remedy}`] : [])),
    ].join('\n'),
  );
}

/** Every line of the installation, as its rows stand. The status is the last one a worker wrote. */
export async function listAllLines(at: Installation, options: { json?: boolean }, out: Output): Promise<void> {
  const rows = await listAllRows(at.store.db);
  const lines = rows.map((row) => ({
    line_id: row.id,
    id: Number(row.number),
    account: row.account_id,
    mode: row.mode,
    customer_ref: row.customer_ref,
    label: row.label,
    status: row.status,
    reason: row.status_reason,
    status_reason: toReason(row.status_reason),
    status_until: row.status_until === null ? null : isoTime(Number(row.status_until)),
    status_code: row.status_code === null ? null : Number(row.status_code),
    status_remedy: remedyOf(toReason(row.status_reason)),
    phone: row.phone,
    name: row.name,
    created_at: isoTime(Number(row.created_at)),
    connected_at: row.connected_at === null ? null : isoTime(Number(row.connected_at)),
  }));
  printLines(lines, options.json, out);
}

/** The lines that a key of another server sees, as they stand now. */
export async function listRemoteLines(options: ServerOptions & { json?: boolean }, out: Output): Promise<void> {
  const refuse = () => Promise.reject(new CommandFailed('--url and --key go together'));
  const { lines } = await withServer(options, refuse, (api) => api.call<{ lines: Listed[] }>('GET', '/lines'));
  printLines(lines, options.json, out);
}

export interface CreateLineOptions extends ServerOptions {
  mode: string;
  account?: string;
  label?: string;
  customerRef?: string;
  json?: boolean;
}

/** Makes a line, to be paired next; a customer_ref that a line has answers that line. */
export async function createLine(options: CreateLineOptions, out: Output): Promise<void> {
  const { mode, label, customerRef } = options;
  if (mode !== 'test' && mode !== 'live') throw new UsageError(`--mode is "${mode}", but it takes test or live`);
  const whose = async (at: Installation) => ({ accountId: options.account ?? at.defaultAccountId, mode }) as const;
  const line = await withServer(options, whose, (api) =>
    api.call<Listed>('POST', '/lines', { label, customer_ref: customerRef }),
  );
  print(out, options.json, line, () => line.line_id);
}

/** Unlinks the phone when WhatsApp can be reached, and forgets the credentials. */
export async function logoutLine(
  lineId: string,
  options: ServerOptions & { json?: boolean },
  out: Output,
): Promise<void> {
  const answer = await withServer(options, ofLine(lineId), (api) =>
    api.call<{ unlinked: boolean }>('POST', `/lines/${encodeURIComponent(lineId)}/logout`),
  );
  print(out, options.json, answer, () =>
    answer.unlinked
      ? `${lineId} is logged out`
      : `${lineId} is logged out here; the phone may still list it, for WhatsApp was not reached`,
  );
}

/** Takes back what is kept since the phone logged the line out; WhatsApp may refuse it. */
export async function restoreLine(
  lineId: string,
  options: ServerOptions & { json?: boolean },
  out: Output,
): Promise<void> {
  const answer = await withServer(options, ofLine(lineId), (api) =>
    api.call('POST', `/lines/${encodeURIComponent(lineId)}/restore`),
  );
  print(
    out,
    options.json,
    answer,
    () =>
      `${lineId} has its credentials back and connects. If the device was removed on the phone, WhatsApp refuses them and it is logged_out again: pair it anew then.`,
  );
}
