import type { Node } from './node.ts';
import { child, childrenOf, intAttr, text } from './node.ts';

/**
 * What WhatsApp keeps an account from: `reachout_timelock` writing to people who never wrote to it,
 * `new_chat_cap` the same, because this period's share of new chats is used up. Chats that are
 * under way go on in both.
 */
export type RestrictionCause = 'reachout_timelock' | 'new_chat_cap';

/** A limit that WhatsApp told this account, or that it told is over. */
export interface Restriction {
  cause: RestrictionCause;
  /** False: it was lifted. */
  isActive: boolean;
  /** Unix seconds; null when WhatsApp did not say. */
  until: number | null;
  /** WhatsApp's own word for the kind of it (`WEB_COMPANION_ONLY`, `CAPPED`, …); may be empty. */
  detail: string;
}

/** Where GraphQL answers keep each of them: the notification's name first, the answer's second. */
const TIMELOCK = ['xwa2_notify_account_reachout_timelock', 'xwa2_fetch_account_reachout_timelock'] as const;
const CAPPING = ['xwa2_notify_new_chat_messages_capping_info_update', 'xwa2_message_capping_info'] as const;
/** How long WhatsApp Web believes a lock whose end was left out (Baileys messages-recv.js). */
const UNSAID_SECONDS = 60;
/** The persisted query behind the account's own time-lock (Baileys Types/Mex, 2026). */
const TIMELOCK_QUERY = '23983697327930364';

/** Asks whether the account is locked; the answer is read by `parseRestrictions`. */
export const reachoutTimelockQuery = (): Node => ({
  tag: 'iq',
  attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:mex' },
  content: [
    {
      tag: 'query',
      attrs: { query_id: TIMELOCK_QUERY },
      content: new TextEncoder().encode(JSON.stringify({ variables: {} })),
    },
  ],
});

/**
 * The limits told by a `<notification type="mex">` or by the answer to a query (whatsmeow
 * notification.go, Baileys messages-recv.js). Everything else tells none.
 */
export function parseRestrictions(node: Node, nowSeconds = 0): Restriction[] {
  const told = node.tag === 'iq' ? [child(node, 'result')] : updatesOf(node);
  const at = intAttr(node, 't') ?? nowSeconds;
  return told.flatMap((part) => {
    const data = dataOf(text(part));
    const lock = pick(data, TIMELOCK);
    const cap = pick(data, CAPPING);
    return [...(lock ? [timelock(lock, at)] : []), ...(cap ? [capping(cap)] : [])];
  });
}

const updatesOf = (node: Node): Node[] =>
  node.tag === 'notification' && node.attrs.type === 'mex' ? childrenOf(node, 'update') : [];

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function dataOf(json: string | undefined): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(json ?? '');
    const data = isFields(parsed) ? parsed.data : undefined;
    return isFields(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

function pick(data: Fields | undefined, names: readonly string[]): Fields | undefined {
  return names.map((name) => data?.[name]).find(isFields);
}

function timelock(lock: Fields, atSeconds: number): Restriction {
  const isActive = lock.is_active === true;
  const until = secondsOf(lock.time_enforcement_ends);
  return {
    cause: 'reachout_timelock',
    isActive,
    until: isActive ? (until ?? atSeconds + UNSAID_SECONDS) : null,
    detail: wordOf(lock.enforcement_type),
  };
}

function capping(cap: Fields): Restriction {
  const detail = wordOf(cap.capping_status);
  const isActive = detail === 'CAPPED';
  return { cause: 'new_chat_cap', isActive, until: isActive ? secondsOf(cap.cycle_end_timestamp) : null, detail };
}

/** A time in seconds, as a number or its digits; 0 says nothing. */
function secondsOf(value: unknown): number | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(number) && number > 0 ? Math.floor(number) : null;
}

/** Capital letters and underscores; anything else is not passed on. */
const wordOf = (value: unknown): string => (typeof value === 'string' && /^[A-Z0-9_]{1,64}$/.test(value) ? value : '');
