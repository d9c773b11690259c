import type { LineRestriction } from './restrictions.ts';

/** Whether a line is on the real network or on the simulated one. */
export type Mode = 'live' | 'test';

/** Where a line stands with WhatsApp; what really is, not what we hope. */
export type LineStatus = 'unpaired' | 'pairing' | 'connecting' | 'connected' | 'disconnected' | 'logged_out';

/** The process side of a line (Bridges: `state`). */
export type LineState = 'starting' | 'running' | 'stopped' | 'failed';

export interface Line {
  id: string;
  /** The integer the Bridges API shows. Never given twice. */
  number: number;
  accountId: string;
  mode: Mode;
  customerRef: string | null;
  label: string | null;
  status: LineStatus;
  /**
   * Why the status is what it is, in our words (`logged_out_by_phone`, `connection_lost`, …); null
   * when there is nothing to say.
   */
  statusReason: string | null;
  /** Digits; null when unpaired. */
  phone: string | null;
  jid: string | null;
  lid: string | null;
  name: string | null;
  createdAt: number;
  connectedAt: number | null;
  /** What WhatsApp limits the account in, also what is over by now (`inForce` tells). */
  restrictions: LineRestriction[];
}
