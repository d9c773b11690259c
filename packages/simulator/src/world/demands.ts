/**
 * What the network asks of its lines. All is on, as it is at WhatsApp (docs/live.md); a test of a
 * client that cannot do something yet switches it off.
 */
export interface Demands {
  /**
   * Statuses come as top-level `<status>`; the stream ends when one is not acknowledged as such.
   */
  statusStanzas: boolean;
  /** Mail from the time offline comes in the batches that are asked for, and no further. */
  askedBatches: boolean;
  /** Phones seal the edits of their messages with the secret of the message. */
  sealedEdits: boolean;
  /** A client that counts its logins counts on: one that falls back is not let in. */
  loginCounters: boolean;
}

export const DEMANDS_OF_TODAY: Readonly<Demands> = {
  statusStanzas: true,
  askedBatches: true,
  sealedEdits: true,
  loginCounters: true,
};

export const DEMANDS = Object.keys(DEMANDS_OF_TODAY) as readonly (keyof Demands)[];
