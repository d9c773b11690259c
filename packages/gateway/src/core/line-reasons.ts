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
    remedy: 'Nothing to do: it is opened again by itself.',
    isFinal: false,
  },
  server_unavailable: {
    means: 'WhatsApp’s servers refuse connections at the moment.',
    remedy: 'Nothing to do: it is tried again by itself.',
    isFinal: false,
  },
  replaced: {
    means: 'Another program logged in with the same linked device (440).',
    remedy: 'It is tried once more in a minute. Stop the other program, often a copy made from a backup.',
    isFinal: false,
  },
  conflict: {
    means: 'Another program keeps taking this linked device over (440), so it is left to it.',
    remedy: 'Stop the other program, then restart here. If there is none, log out and pair anew.',
    isFinal: true,
  },
  logged_out: {
    means: 'The linked device was removed on the phone, or by WhatsApp (401).',
    remedy: 'Pair it anew. If nobody removed it, restore it first: its credentials are kept for 7 days.',
    isFinal: true,
  },
  temporarily_banned: {
    means: 'WhatsApp has banned the number for a time (402).',
    remedy: 'Wait for the end of the ban: it connects again by itself. Until then nothing helps.',
    isFinal: false,
  },
  banned: {
    means: 'WhatsApp has locked or banned the account of this number (403, 406).',
    remedy: 'Open WhatsApp on the phone: it says why, and offers a review. Afterwards restart here.',
    isFinal: true,
  },
  client_outdated: {
    means: 'WhatsApp takes a newer version of its client only (405).',
    remedy:
      'A newer version is looked for by itself. If it stays: "ponte whatsapp-version refresh", or set one by "ponte whatsapp-version set".',
    isFinal: true,
  },
  untrusted_server: {
    means: 'What answered could not prove that it is WhatsApp; nothing was sent to it.',
    remedy: 'Look for a proxy or firewall that opens encrypted connections, then restart.',
    isFinal: true,
  },
  store_failed: {
    means: 'The database takes nothing, so nothing is taken from WhatsApp either.',
    remedy: 'Free disk space or mend the database: it goes on by itself.',
    isFinal: false,
  },
  credentials_unreadable: {
    means: 'The stored credentials cannot be read: they are damaged, or encrypted with another key.',
    remedy: 'Restore the database with its master key and restart. If there is no backup: log out, and pair anew.',
    isFinal: true,
  },
  worker_restarting: {
    means: 'The process that hosts it ended and is being started again.',
    remedy: 'Nothing to do: it is back within seconds.',
    isFinal: false,
  },
  worker_failed: {
    means: 'The process that hosts it does not start.',
    remedy: 'It is tried again every few minutes; the server’s log says what is wrong.',
    isFinal: false,
  },
  restricted: {
    means: 'WhatsApp has restricted the account: it may not write to people who never wrote to it.',
    remedy: 'Wait for the end. Answering people who write is possible; every try at others makes it worse.',
    isFinal: false,
  },
  pairing_expired: {
    means: 'Nobody scanned the QR, or typed the code, in time.',
    remedy: 'Ask for a new one, and have the phone at hand.',
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
