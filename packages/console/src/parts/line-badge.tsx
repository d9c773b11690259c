import type { LineStatus } from '../shapes.ts';
import { useWords } from '../words/words.ts';
import { Badge } from './layout.tsx';

const TONE = {
  connected: 'good',
  connecting: 'busy',
  pairing: 'busy',
  unpaired: 'off',
  disconnected: 'bad',
  logged_out: 'bad',
} as const;

export function LineBadge({ status }: { status: LineStatus }) {
  return <Badge tone={TONE[status]}>{useWords().status[status]}</Badge>;
}
