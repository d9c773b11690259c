import { invalid } from '../core/app-error.ts';

/** `data:image/png;base64,` at the beginning; the slash may be escaped, as JSON allows. */
const PREFIX = /^data:([\w.+-]+\\?\/[\w.+-]+)?((?:;[\w.+-]+=[^;,"]*)*)(;base64)?,/i;
const PREFIX_MAX = 256;

/**
 * Base64 that may stand behind `data:…;base64,`, without that prefix; its type, when it names one.
 * `validation_error` for data that is encoded otherwise.
 */
export async function withoutDataPrefix(
  text: AsyncIterable<Buffer>,
): Promise<{ mimeType: string | undefined; base64: AsyncIterable<Buffer> }> {
  const pieces = text[Symbol.asyncIterator]();
  let begun = '';
  let isOver = false;
  const isOpen = () => /^\s*(?:d|da|dat|data|data:[^,]*)$/i.test(begun) || begun.trim() === '';
  while (!isOver && begun.length < PREFIX_MAX && isOpen()) {
    const { value, done } = await pieces.next();
    if (done) isOver = true;
    else begun += value.toString('latin1');
  }
  const found = PREFIX.exec(begun.trimStart());
  if (!found && /^data:/i.test(begun.trimStart())) throw notBase64();
  if (found && found[3] === undefined) throw notBase64();
  const rest = found ? begun.trimStart().slice(found[0].length) : begun;
  return { mimeType: found?.[1]?.replace('\\', ''), base64: after(rest, isOver ? undefined : pieces) };
}

const notBase64 = () => invalid('data', 'data must be base64, alone or as data:<type>;base64,<base64>.');

async function* after(begun: string, pieces: AsyncIterator<Buffer> | undefined): AsyncGenerator<Buffer> {
  if (begun !== '') yield Buffer.from(begun, 'latin1');
  while (pieces) {
    const { value, done } = await pieces.next();
    if (done) return;
    yield value;
  }
}
