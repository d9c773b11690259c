import type {
  AccountOperations,
  FetchedFile,
  GroupOperations,
  Jid,
  MediaOperations,
  NumberLookup,
} from '@ponte/engine';
import type { ErrorCode, ErrorDetails } from './app-error.ts';

/** How a send ended. */
export type SendOutcome =
  | { state: 'sent'; timestamp: number }
  /** It may have left, and no acknowledgement is expected any more. */
  | { state: 'unconfirmed' }
  | { state: 'failed'; code: ErrorCode; details: ErrorDetails };

/** A row of the outbox as it was accepted, for the worker that need not read it again. */
export interface AcceptedSend {
  id: string;
  seq: number;
  accountId: string;
  lineId: string;
  messageId: string;
  toJid: Jid;
  /** OutboundContent as JSON, as it was stored. */
  content: string;
  /** Unix milliseconds. */
  acceptedAt: number;
  rank: number;
  sendAt: number | null;
  archives: boolean;
  /** The step of a trace that accepted it; not stored. */
  traceparent?: string;
}

/** What the engine answers by itself, under its own names. */
type AccountCommands = {
  [K in keyof AccountOperations as `account.${K}`]: {
    in: Parameters<AccountOperations[K]>[0];
    out: Awaited<ReturnType<AccountOperations[K]>>;
  };
};

type GroupCommands = {
  [K in keyof GroupOperations as `groups.${K}`]: {
    in: Parameters<GroupOperations[K]>[0];
    out: Awaited<ReturnType<GroupOperations[K]>>;
  };
};

/**
 * What only the worker that hosts a line can do. Plain data both ways: it crosses process borders.
 */
export interface LineCommands extends AccountCommands, GroupCommands {
  /**
   * Begins pairing when the line is unpaired, and answers the current QR; waits for the first one
   * at most `waitMs`. `already_paired`, `whatsapp_timeout`.
   */
  'pairing.qr': { in: { waitMs: number }; out: { data: string; expiresAt: number } };
  /** Link-code pairing; each call replaces the earlier code. */
  'pairing.code': { in: { phone: string; waitMs: number }; out: { code: string; expiresAt: number } };
  /**
   * Unlinks at WhatsApp when it can, forgets the credentials; the line is `unpaired` afterwards.
   */
  logout: { in: { timeoutMs: number }; out: { unlinked: boolean } };
  /**
   * Puts an accepted outbox row in its line's mailbox and answers when it ended; asking again for
   * the same row waits for the same end. `accepted`: the row as the caller has just committed it;
   * it may have moved on by the time it arrives, which the worker finds out before anything leaves.
   */
  send: { in: { outboxId: string; accepted?: AcceptedSend }; out: SendOutcome };
  /**
   * What the line's queue does next; null = nothing is due, or it cannot leave now. Unix
   * milliseconds.
   */
  'queue.look': { in: Record<string, never>; out: { nextAt: number | null; inFlight: number } };
  /**
   * The store changed beside the line: sends were cancelled or scheduled, or its pacing is another.
   */
  'queue.refresh': { in: Record<string, never>; out: Record<string, never> };
  'messages.read': { in: { chat: Jid; ids: string[]; sender?: Jid; played: boolean }; out: Record<string, never> };
  /**
   * Downloads the file of a message to a path of this machine; see the engine's MediaOperations.
   * Needs no connection while WhatsApp has the file.
   */
  'media.fetch': { in: Parameters<MediaOperations['fetch']>[0]; out: FetchedFile };
  /** Looks on at the line's stanzas for some time, made unreadable; see TracePage. */
  trace: {
    in: { do: 'start'; minutes: number } | { do: 'read'; after: number } | { do: 'stop' };
    out: TracePage;
  };
  /** Whether a device says within the time that it has this message; asked before it is sent. */
  'receipt.wait': { in: { messageId: string; waitMs: number }; out: { received: boolean } };
  'numbers.check': { in: { phones: string[] }; out: NumberLookup[] };
  stats: { in: Record<string, never>; out: WorkerStats };
}

export type LineCommandName = keyof LineCommands;

/** Longest time that a line is traced. */
export const TRACE_MINUTES_MAX = 240;

export interface TraceEntry {
  /** Grows by one, also over traces of the same process. */
  number: number;
  /** Unix milliseconds. */
  at: number;
  /** `note`: what became of the connection. */
  direction: 'in' | 'out' | 'note';
  /** Without texts, keys, names and addresses. */
  stanza: string;
}

/** What was seen since a number. The newest entries are kept, some time beyond the end. */
export interface TracePage {
  isOn: boolean;
  /** Unix milliseconds; null: never on in this process. */
  endsAt: number | null;
  entries: TraceEntry[];
  /** From where to read on. */
  cursor: number;
  /** Entries after the number asked for that were too many to be kept. */
  lost: number;
}

/** Measured on the process that hosts the line; null = the runtime cannot tell. */
export interface WorkerStats {
  worker: string;
  linesInWorker: number;
  heapUsedBytes: number;
  heapTotalBytes: number;
  rssBytes: number;
  /** CPU time that the process has used. */
  cpuSeconds: number;
  eventLoopLagMs: number;
  /** Runs of the garbage collector since the process began, small and large ones. */
  gcCycles: number;
  /**
   * All that was ever allocated on the heap; null before Node 25, which is the first to count it.
   */
  totalAllocatedBytes: number | null;
}
