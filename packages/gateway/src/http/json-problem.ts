/** What is wrong with a text that is not JSON, and where; never a piece of the text itself. */
export function jsonProblem(text: string, error: unknown): string {
  const raw = rawControl(text);
  if (raw) {
    return `a raw ${raw.name} inside a text ${placeOf(text, raw.at)}. Write it as ${raw.escaped} there`;
  }
  const said = error instanceof Error ? error.message : '';
  const at = /at position (\d+)/.exec(said)?.[1];
  if (at === undefined) return 'it ends early. Check quotes, commas and brackets';
  return `${placeOf(text, Number(at))}. Check quotes, commas and brackets there`;
}

const NAMES: Readonly<Record<number, [name: string, escape: string]>> = {
  10: ['line break', '\\n'],
  13: ['line break', '\\r'],
  9: ['tab', '\\t'],
};

/** The first control character inside a quoted text: JSON takes it escaped only. */
function rawControl(text: string): { at: number; name: string; escaped: string } | undefined {
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isInText) isInText = code === 0x22;
    else if (code === 0x5c) at += 1;
    else if (code === 0x22) isInText = false;
    else if (code < 0x20) {
      const [name, escaped] = NAMES[code] ?? ['control character', `\\u${code.toString(16).padStart(4, '0')}`];
      return { at, name, escaped };
    }
  }
  return undefined;
}

/** Lines and columns count from 1, as editors show them. */
function placeOf(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `at line ${line}, column ${at - before.lastIndexOf('\n')} (position ${at})`;
}
