/** How the line does that writes to itself. */
export interface CanaryFigures {
  lineId: string;
  /** Unix milliseconds; null: never so far. */
  lastSuccessAt: number | null;
  /** Since this process began. */
  failures: number;
}
