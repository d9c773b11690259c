/** Pino's numbers, and how a terminal shows them. */
const LEVELS: Readonly<Record<number, { name: string; colour: number }>> = {
  20: { name: 'debug', colour: 90 },
  30: { name: 'info ', colour: 32 },
  40: { name: 'WARN ', colour: 33 },
  50: { name: 'ERROR', colour: 31 },
};
/** Told by the line itself, or the same in every line. */
const KNOWN = new Set(['level', 'time', 'process', 'pid', 'msg']);

/**
 * A log line (JSON) for people at a terminal: local time, level, message, then what else it says.
 * Text that is none of ours comes back as it is.
 */
export function prettyLine(line: string, withColour = true): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { name, colour } = LEVELS[Number(fields.level)] ?? { name: String(fields.level), colour: 0 };
  const paint = (text: string, code: number) => (withColour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const time = new Date(String(fields.time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).filter(([key]) => !KNOWN.has(key));
  const told = rest.map(([key, value]) => `${paint(key, 90)}=${shown(value)}`);
  const process = fields.process === 'main' ? '' : ` ${paint(`[${fields.process}]`, 90)}`;
  return `${[`${paint(time, 90)} ${paint(name, colour)}${process} ${fields.msg}`, ...told].join('  ')}\n`;
}

/** An error's stack stands on lines of its own; everything else as short as JSON can say it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"'=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') {
    return `\n    ${value.stack.replaceAll('\n', '\n    ')}`;
  }
  return JSON.stringify(value);
}
