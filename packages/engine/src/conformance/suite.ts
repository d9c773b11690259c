import type { ConformanceNetwork } from './network.ts';

/** Gives the suite its network, and every caller numbers that no other test uses. */
export interface Suite {
  network(): ConformanceNetwork;
  /** Digits of a number that is new in this suite. */
  number(): string;
  /** An id for a line that is new in this suite. */
  lineId(): string;
}
