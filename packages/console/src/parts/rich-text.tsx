import type { ReactNode } from 'react';
import { type Piece, readMarkup } from '../markup.ts';

const STYLE = { bold: 'font-semibold', italic: 'italic', strike: 'line-through' } as const;

/** The text of a message with WhatsApp's marks and with links; a link says where it leads. */
export function RichText({ text }: { text: string }) {
  return <>{show(readMarkup(text))}</>;
}

function show(pieces: Piece[]): ReactNode {
  return pieces.map((piece, at) => {
    // Pieces never change places.
    const key = `${at}${piece.kind}`;
    if (piece.kind === 'text') return piece.text;
    if (piece.kind === 'code') {
      return (
        <code key={key} className="font-mono text-sm">
          {piece.text}
        </code>
      );
    }
    if (piece.kind === 'link') {
      return (
        <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer nofollow" className="underline">
          {piece.text}
        </a>
      );
    }
    return (
      <span key={key} className={STYLE[piece.kind]}>
        {show(piece.pieces)}
      </span>
    );
  });
}
