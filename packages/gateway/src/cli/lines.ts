import type { Installation } from '../installation.ts';
import { isoTime, type Output, print, table } from './output.ts';

/** Every line of the installation, as its rows stand. The status is the last one a worker wrote. */
export async function listAllLines(at: Installation, options: { json?: boolean }, out: Output): Promise<void> {
  const rows = await at.store.db
    .selectFrom('lines')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('number')
    .execute();
  const lines = rows.map((row) => ({
    line_id: row.id,
    id: Number(row.number),
    account: row.account_id,
    mode: row.mode,
    customer_ref: row.customer_ref,
    label: row.label,
    status: row.status,
    reason: row.status_reason,
    phone: row.phone,
    name: row.name,
    created_at: isoTime(Number(row.created_at)),
    connected_at: row.connected_at === null ? null : isoTime(Number(row.connected_at)),
  }));
  print(out, options.json, { lines }, () =>
    table(
      ['LINE', 'ID', 'REF', 'MODE', 'STATUS', 'PHONE', 'NAME'],
      lines.map((l) => [l.line_id, l.id, l.customer_ref, l.mode, l.status, l.phone, l.name]),
    ),
  );
}
