/** Characters that were taken out of a text before it is looked at. */
export interface TakenOut {
  at: number;
  length: number;
}

/**
 * What is wrong with a text that is not JSON, and where; never a piece of the text itself. Places
 * are those of the text as it was sent.
 */
export function jsonProblem(text: string, error: unknown, takenOut?: TakenOut): string {
  const raw = rawControl(text);
  if (raw) {
    return `a raw ${raw.name} inside a text ${placeOf(text, raw.at, takenOut)}. Write it as ${raw.escaped} there`;
  }
  const said = error instanceof Error ? error.message : '';
  const at = /at position (\d+)/.exec(said)?.[1] ?? (isToken(said) ? tokenPlace(text) : undefined);
  if (at === undefined) return 'it ends early. Check quotes, commas and brackets';
  return `${placeOf(text, Number(at), takenOut)}. Check quotes, commas and brackets there`;
}

/** Of what cannot stand where it stands, the parser shows the surroundings, and no place. */
const isToken = (said: string): boolean => said.startsWith('Unexpected token');

/** Where the parser meets such a thing: a text that ends before it only ends early. */
function tokenPlace(text: string): number {
  let [fine, wrong] = [0, text.length];
  while (wrong - fine > 1) {
    const middle = Math.floor((fine + wrong) / 2);
    if (isToken(problemOf(text.slice(0, middle)))) wrong = middle;
    else fine = middle;
  }
  return wrong - 1;
}

function problemOf(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
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
function placeOf(text: string, at: number, takenOut: TakenOut = { at, length: 0 }): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const lineBegin = before.lastIndexOf('\n');
  const missing = takenOut.at < at ? takenOut.length : 0;
  const column = at - lineBegin + (takenOut.at > lineBegin ? missing : 0);
  return `at line ${line}, column ${column} (position ${at + missing})`;
}
