/** A piece of a message's text, as WhatsApp shows it. */
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'code'; text: string }
  | { kind: 'bold' | 'italic' | 'strike'; pieces: Piece[] };

const CODE = /```([\s\S]+?)```|`([^`\n]+)`/;
/** Up to the first blank; the mark of the end of a sentence does not belong to it. */
const LINK = /\bhttps?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}*_~]/;
const STYLES = { '*': 'bold', _: 'italic', '~': 'strike' } as const;
/** Between word characters a mark is part of the word: `a_b_c`, `2*3*4`. */
const STYLED = /(?<![\p{L}\p{N}*_~])([*_~])(?=\S)([^\n]*?\S)\1(?![\p{L}\p{N}])/u;

/**
 * Reads WhatsApp's marks: *bold*, _italic_, ~struck~, `code`, ```code```, and addresses of pages.
 * Nothing else is ever more than text.
 */
export function readMarkup(text: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = text;
  while (rest !== '') {
    const [found, piece] = firstOf(rest);
    if (!found || !piece) break;
    if (found.index > 0) pieces.push({ kind: 'text', text: rest.slice(0, found.index) });
    pieces.push(piece);
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest !== '') pieces.push({ kind: 'text', text: rest });
  return pieces;
}

/** Whatever begins first; of two at the same place code, then a link. */
function firstOf(text: string): [RegExpExecArray | undefined, Piece | undefined] {
  const candidates = [CODE, LINK, STYLED].flatMap((pattern) => {
    const found = pattern.exec(text);
    return found ? [{ pattern, found }] : [];
  });
  const first = candidates.toSorted((a, b) => a.found.index - b.found.index)[0];
  if (!first) return [undefined, undefined];
  const { pattern, found } = first;
  if (pattern === CODE) return [found, { kind: 'code', text: found[1] ?? found[2] ?? '' }];
  if (pattern === LINK) return [found, { kind: 'link', text: found[0], href: found[0] }];
  const [, mark, inner] = found;
  const kind = STYLES[(mark ?? '*') as keyof typeof STYLES];
  return [found, { kind, pieces: readMarkup(inner ?? '') }];
}
