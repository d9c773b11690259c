import type { LineReason } from './line-reasons.ts';
import type { LineRestriction } from './restrictions.ts';

/** Whether a line is on the real network or on the simulated one. */
export type Mode = 'live' | 'test';

/** Where a line stands with WhatsApp; what really is, not what we hope. */
export type LineStatus = 'unpaired' | 'pairing' | 'connecting' | 'connected' | 'disconnected' | 'logged_out';

/** The process side of a line (Bridges: `state`). */
export type LineState = 'starting' | 'running' | 'stopped' | 'failed';

/** Where a line stands, and why. */
export interface LineStanding {
  status: LineStatus;
  /** Null when there is nothing to say. */
  reason: LineReason | null;
  /** Unix milliseconds of its told end (a ban, a restriction); null when there is none. */
  until: number | null;
  /** WhatsApp's own code behind the reason; null when it gave none. */
  whatsappCode: number | null;
}

export interface Line {
  id: string;
  /** The integer the Bridges API shows. Never given twice. */
  number: number;
  accountId: string;
  mode: Mode;
  customerRef: string | null;
  label: string | null;
  status: LineStatus;
  /** Why the status is what it is; null when there is nothing to say. */
  statusReason: LineReason | null;
  /** Unix milliseconds of the told end of what `statusReason` says. */
  statusUntil: number | null;
  /** WhatsApp's own code behind `statusReason`. */
  statusCode: number | null;
  /** Digits; null when unpaired. */
  phone: string | null;
  jid: string | null;
  lid: string | null;
  name: string | null;
  createdAt: number;
  connectedAt: number | null;
  /** What WhatsApp limits the account in, also what is over by now (`inForce` tells). */
  restrictions: LineRestriction[];
  /** Until when the credentials that the phone logged out can be restored (Unix milliseconds). */
  credentialsKeptUntil: number | null;
}
