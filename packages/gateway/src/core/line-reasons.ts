/** A reason, explained for people. */
export interface ReasonWords {
  /** What is the case, as one sentence that needs no other. */
  means: string;
  /** What the reader does about it; "nothing" is said too. */
  remedy: string;
  /** True: no further attempt until a person acts. */
  isFinal: boolean;
}

/**
 * Why a line stands as it does: the closed list behind `status_reason` of both APIs, `reason` of
 * the webhooks, the console and the command line. A code that was published stays. The sentences
 * name no dialect's noun: both APIs show them.
 */
export const LINE_REASONS = {
  connection_lost: {
    means: 'The connection to WhatsApp was lost.',
    remedy: 'Nothing to do: it reconnects automatically.',
    isFinal: false,
  },
  server_unavailable: {
    means: 'WhatsApp’s servers are refusing connections at the moment.',
    remedy: 'Nothing to do: it reconnects automatically.',
    isFinal: false,
  },
  replaced: {
    means: 'Another program logged in with the same linked device (440).',
    remedy: 'One more attempt follows in a minute. Stop the other program, often a copy made from a backup.',
    isFinal: false,
  },
  conflict: {
    means: 'Another program keeps taking over this linked device (440), so no further attempt is made.',
    remedy: 'Stop the other program, then restart here. If there is none, log out and pair again.',
    isFinal: true,
  },
  logged_out: {
    means: 'The linked device was removed on the phone, or by WhatsApp (401).',
    remedy:
      'Pair it again. If the device was not removed on purpose, restore it first: its credentials are kept for 7 days.',
    isFinal: true,
  },
  temporarily_banned: {
    means: 'WhatsApp has banned the number temporarily (402).',
    remedy: 'Wait for the end of the ban; then it reconnects automatically. Nothing shortens the ban.',
    isFinal: false,
  },
  banned: {
    means: 'WhatsApp has locked or banned the account of this number (403, 406).',
    remedy: 'Open WhatsApp on the phone: it shows the reason and offers a review. Then restart here.',
    isFinal: true,
  },
  client_outdated: {
    means: 'WhatsApp accepts only a newer version of its client (405).',
    remedy:
      'Ponte looks for a newer version automatically. If this stays: "ponte whatsapp-version refresh", or set one by "ponte whatsapp-version set".',
    isFinal: true,
  },
  untrusted_server: {
    means: 'The server that answered could not prove that it is WhatsApp; nothing was sent to it.',
    remedy: 'Look for a proxy or firewall that intercepts encrypted connections, then restart.',
    isFinal: true,
  },
  store_failed: {
    means: 'The database accepts no writes, so no messages are accepted from WhatsApp either.',
    remedy: 'Free disk space or repair the database; then it continues automatically.',
    isFinal: false,
  },
  credentials_unreadable: {
    means: 'The stored credentials cannot be read: they are damaged, or encrypted with another key.',
    remedy: 'Restore the database with its master key and restart. If there is no backup, log out and pair again.',
    isFinal: true,
  },
  worker_restarting: {
    means: 'The process that hosts it ended and is being restarted.',
    remedy: 'Nothing to do: it is back within seconds.',
    isFinal: false,
  },
  worker_failed: {
    means: 'The process that hosts it does not start.',
    remedy: 'The start is retried every few minutes; the server log shows the cause.',
    isFinal: false,
  },
  restricted: {
    means: 'WhatsApp has restricted the account: it may not write to people who never wrote to it.',
    remedy:
      'Wait until the restriction ends. Answering people who write is possible; every attempt to write to others prolongs it.',
    isFinal: false,
  },
  pairing_expired: {
    means: 'The QR code was not scanned, or the pairing code not entered, in time.',
    remedy: 'Request a new one and have the phone at hand.',
    isFinal: false,
  },
  pairing_failed: {
    means: 'WhatsApp or the phone refused the pairing.',
    remedy: 'Ask for a new QR or code. If the phone says "Couldn’t link device", see the pairing help.',
    isFinal: false,
  },
  passkey_required: {
    means: 'WhatsApp wants this account to confirm the pairing with a passkey, which cannot be given here.',
    remedy: 'Remove the passkey in WhatsApp’s settings on the phone (Account, Passkeys), then pair again.',
    isFinal: false,
  },
} as const satisfies Record<string, ReasonWords>;

export type LineReason = keyof typeof LINE_REASONS;

export const REASON_CODES = Object.keys(LINE_REASONS) as [LineReason, ...LineReason[]];

export const isLineReason = (value: unknown): value is LineReason =>
  typeof value === 'string' && Object.hasOwn(LINE_REASONS, value);

/** A stored reason; null for one that this version does not know. */
export const toReason = (stored: string | null): LineReason | null => (isLineReason(stored) ? stored : null);

/** What to do about it; null when there is no reason. */
export const remedyOf = (reason: LineReason | null): string | null =>
  reason === null ? null : LINE_REASONS[reason].remedy;

/** What is the case, until when, and what to do, as sentences. */
export function explain(reason: LineReason, until: number | null = null): string {
  const { means, remedy } = LINE_REASONS[reason];
  return [means, ...(until === null ? [] : [`Until ${new Date(until).toISOString()}.`]), remedy].join(' ');
}
