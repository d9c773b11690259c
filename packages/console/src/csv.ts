/** What a spreadsheet would calculate when it opens the file; numbers, also of phones, are not. */
const FORMULA = /^[=@\t\r]|^[+-](?![\d\s().-]*$)/;

/**
 * Rows as a CSV file (RFC 4180, UTF-8 with its mark, so that spreadsheets read it as such). Members
 * of members have names with dots, lists are JSON. The columns are those of all rows together, in
 * the order they come. Texts that a spreadsheet would take for a formula begin with an apostrophe.
 */
export function toCsv(rows: readonly object[]): string {
  const flat = rows.map((row) => Object.fromEntries(cellsOf(row)));
  const columns = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...flat.map((row) => columns.map((column) => row[column] ?? ''))];
  return `\uFEFF${lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('')}`;
}

function cellsOf(value: object, under = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]): [string, string][] => {
    const column = `${under}${name}`;
    if (member === null || member === undefined) return [[column, '']];
    if (Array.isArray(member)) return [[column, JSON.stringify(member)]];
    if (typeof member === 'object') return cellsOf(member, `${column}.`);
    return [[column, typeof member === 'string' ? harmless(member) : String(member)]];
  });
}

const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
