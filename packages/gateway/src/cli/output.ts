/** Where a command prints; stdout is for results, stderr for everything said about them. */
export interface Output {
  result(text: string): void;
  say(text: string): void;
}

export const standardOutput: Output = {
  result: (text) => void process.stdout.write(`${text}\n`),
  say: (text) => void process.stderr.write(`${text}\n`),
};

/** A usage mistake: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that could not do what it was asked: exit code 1. The message is for the user. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** Columns padded to the widest cell; numbers and nulls as they are. */
export function table(headers: string[], rows: (string | number | null)[][]): string {
  const cells = [headers, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell))))];
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `--json` answers one JSON document, without it a text for people. */
export function print(out: Output, asJson: boolean | undefined, value: unknown, text: () => string): void {
  out.result(asJson ? JSON.stringify(value) : text());
}

/** Unix milliseconds as an ISO time, or null. */
export const isoTime = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
