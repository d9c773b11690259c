import type { RestrictionCause } from '@ponte/engine';

/** A limit of WhatsApp's that a line's account is under. */
export interface LineRestriction {
  cause: RestrictionCause;
  /** Unix seconds; null when WhatsApp did not say. */
  until: number | null;
  /** WhatsApp's own word for its kind; may be empty. */
  detail: string;
  /** Unix seconds: when WhatsApp told it. */
  since: number;
}

/** Those that are not over yet. */
export function inForce(restrictions: readonly LineRestriction[], nowMs: number): LineRestriction[] {
  return restrictions.filter(({ until }) => until === null || until * 1_000 > nowMs);
}
