import { useSyncExternalStore } from 'react';
import type { Mode } from './mode.ts';
import { queries } from './queries/client.ts';
import type { Line, LineStatus } from './shapes.ts';
import type { StreamMessage, StreamState } from './stream/source.ts';
import { joinStream } from './stream/stream.ts';

/** What the stream says of a line. */
export interface LiveLine {
  line_id: string;
  mode: Mode;
  status: LineStatus;
  reason: Line['status_reason'];
  until: string | null;
  remedy: string | null;
  phone: string | null;
  name: string | null;
  qr: { data: string; expires_at: string } | null;
}

export type LiveState = StreamState;

const SETTLE_MS = 1_500;
/** Queries that are worth asking again when something was sent, received or delivered. */
const MOVING = ['approvals', 'problems', 'timeline', 'deliveries', 'chats', 'messages', 'usage', 'queue', 'inbox'];
/** Queries to repeat after a change of settings: lines, webhooks, keys, people. */
const SETTINGS = ['lines', 'line', 'webhooks', 'webhook', 'process', 'queue', 'keys', 'users', 'audit', 'passkeys'];
/** Those that look at much, and need not be so fresh. */
const SLOWLY_MOVING = ['series', 'activity'];
const SLOW_MS = 4_000;

let state: LiveState = 'connecting';
let lines: ReadonlyMap<string, LiveLine> = new Map();
let isSlowDue = false;
const settling = new Map<string, ReturnType<typeof setTimeout>>();
const listeners = new Set<() => void>();

const tell = () => {
  for (const listener of listeners) listener();
};

/** Busy installations change many times a second; a page asks again this often at most. */
const REFRESH_MS = 1_000;
const due = new Set<string>();
let refreshedAt = Number.NEGATIVE_INFINITY;
let isRefreshDue = false;

/** Asks again for these queries: at once, or when the last time is long enough ago. */
function refresh(names: readonly string[]): void {
  for (const name of names) due.add(name);
  if (isRefreshDue) return;
  isRefreshDue = true;
  setTimeout(
    () => {
      const asked = new Set(due);
      due.clear();
      isRefreshDue = false;
      refreshedAt = performance.now();
      void queries.invalidateQueries({ predicate: ({ queryKey }) => asked.has(String(queryKey[0])) });
    },
    Math.max(0, refreshedAt + REFRESH_MS - performance.now()),
  );
}

function refreshSlowly(): void {
  if (isSlowDue) return;
  isSlowDue = true;
  setTimeout(() => {
    isSlowDue = false;
    refresh(SLOWLY_MOVING);
  }, SLOW_MS);
}

function become(next: LiveState): void {
  if (state === next) return;
  state = next;
  tell();
  // The session may be over: the answer to this sends the page to the sign-in.
  if (next === 'stale') void queries.invalidateQueries({ queryKey: ['state'] });
}

const isOfServer = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== 'openapi';

function hear(message: StreamMessage): void {
  become(message.kind === 'state' ? message.state : 'live');
  if (message.kind === 'state') return;
  // Changes missed while disconnected are fetched.
  if (message.name === 'hello') void queries.invalidateQueries({ predicate: isOfServer });
  if (message.name === 'line') lineChanged(message.data as LiveLine);
  if (message.name !== 'activity') return;
  if ((message.data as { settings: boolean }).settings) refresh(SETTINGS);
  refresh(MOVING);
  refreshSlowly();
}

/**
 * The stream is faster than the table that answers read: what it says stands at once, and is asked
 * for again a moment later, with everything else that a line's page shows.
 */
function lineChanged(live: LiveLine): void {
  lines = new Map(lines).set(live.line_id, live);
  const { line_id: id, mode: itsMode, status, phone, name } = live;
  const why = { status_reason: live.reason, status_until: live.until, status_remedy: live.remedy };
  const patched = (line: Line): Line => ({ ...line, ...why, status, phone: phone && `+${phone}`, name });
  const listKey = ['lines', itsMode];
  queries.setQueryData<Line>(['line', id], (old) => old && patched(old));
  queries.setQueryData<Line[]>(listKey, (old) => old?.map((one) => (one.line_id === id ? patched(one) : one)));
  const isListed = queries.getQueryData<Line[]>(listKey)?.some(({ line_id }) => line_id === id);
  clearTimeout(settling.get(id));
  const later = setTimeout(() => {
    settling.delete(id);
    if (!isListed) refresh(['lines']);
    refreshSlowly();
    for (const key of ['line', 'process', 'timeline', 'queue']) void queries.invalidateQueries({ queryKey: [key, id] });
  }, SETTLE_MS);
  settling.set(id, later);
  void queries.invalidateQueries({ queryKey: ['timeline', id] });
  tell();
}

/**
 * Listens while a user is signed in; the returned function ends it. A page that is left closes its
 * stream, also when the browser keeps it for the way back.
 */
export function listen(): () => void {
  let leave: (() => void) | undefined;
  const join = () => {
    lines = new Map();
    state = 'connecting';
    leave = joinStream(hear);
  };
  const goAway = () => {
    leave?.();
    leave = undefined;
  };
  const comeBack = () => {
    if (leave) return;
    join();
    void queries.invalidateQueries({ predicate: isOfServer });
  };
  join();
  addEventListener('pagehide', goAway);
  addEventListener('pageshow', comeBack);
  return () => {
    removeEventListener('pagehide', goAway);
    removeEventListener('pageshow', comeBack);
    goAway();
  };
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state);
export const useLiveLine = (lineId: string): LiveLine | undefined =>
  useSyncExternalStore(subscribe, () => lines.get(lineId));
