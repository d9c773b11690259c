import type { Line } from '../shapes.ts';
import type { Words } from '../words/words.ts';

/** What people call a line. */
export const lineName = (line: Pick<Line, 'label' | 'customer_ref'>, words: Words): string =>
  line.label ?? line.customer_ref ?? words.lines.unnamed;
