import type { ReactNode } from 'react';
import { ago, dateTime } from './time.ts';

/**
 * How long ago something was, or what is said of it (`children`); pointing at it shows the exact
 * time.
 */
export function Moment({ at, children }: { at: string; children?: ReactNode }) {
  return (
    <time dateTime={at} title={dateTime(at)}>
      {children ?? ago(at)}
    </time>
  );
}
