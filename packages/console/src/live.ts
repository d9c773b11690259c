import { useSyncExternalStore } from 'react';
import { mode } from './mode.ts';
import { queries } from './queries.ts';
import type { Line, LineStatus } from './shapes.ts';

/** What the stream says of a line. */
export interface LiveLine {
  line_id: string;
  status: LineStatus;
  reason: string | null;
  phone: string | null;
  name: string | null;
  qr: { data: string; expires_at: string } | null;
}

export type LiveState = 'connecting' | 'live' | 'stale';

/**
 * The server says something every ten seconds; longer silence means that what the page shows may be
 * old.
 */
const SILENCE_MS = 25_000;
const RETRY_MS = 2_000;
const SETTLE_MS = 1_500;
/** Queries that are worth asking again when something was sent, received or delivered. */
const MOVING = ['approvals', 'timeline', 'deliveries', 'chats', 'messages', 'usage', 'queue', 'inbox'];
/**
 * Queries that are worth asking again when somebody changed something: lines, webhooks, keys,
 * people.
 */
const SETTINGS = ['lines', 'line', 'webhooks', 'webhook', 'process', 'queue', 'keys', 'users', 'audit', 'passkeys'];
/** Those that look at much, and need not be so fresh. */
const SLOWLY_MOVING = ['series', 'activity'];
const SLOW_MS = 4_000;

let state: LiveState = 'connecting';
let lines: ReadonlyMap<string, LiveLine> = new Map();
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let isSlowDue = false;
const settling = new Map<string, ReturnType<typeof setTimeout>>();
const listeners = new Set<() => void>();

const tell = () => {
  for (const listener of listeners) listener();
};

function heard(): void {
  clearTimeout(timer);
  timer = setTimeout(reopen, SILENCE_MS);
  if (state === 'live') return;
  state = 'live';
  tell();
}

const refresh = (names: readonly string[]) =>
  void queries.invalidateQueries({ predicate: ({ queryKey }) => names.includes(String(queryKey[0])) });

function refreshSlowly(): void {
  if (isSlowDue) return;
  isSlowDue = true;
  setTimeout(() => {
    isSlowDue = false;
    refresh(SLOWLY_MOVING);
  }, SLOW_MS);
}

/** What happened while nobody listened is asked for. */
function reopen(): void {
  state = 'stale';
  tell();
  open();
}

function open(): void {
  source?.close();
  clearTimeout(timer);
  timer = setTimeout(reopen, SILENCE_MS);
  const opened = new EventSource(`/api/console/v1/stream?mode=${mode.get()}`);
  source = opened;
  opened.addEventListener('hello', () => {
    heard();
    void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'openapi' });
  });
  opened.addEventListener('ping', heard);
  opened.addEventListener('line', (event) => {
    heard();
    lineChanged(JSON.parse((event as MessageEvent<string>).data) as LiveLine);
  });
  opened.addEventListener('activity', (event) => {
    heard();
    const { settings } = JSON.parse((event as MessageEvent<string>).data) as { settings: boolean };
    if (settings) refresh(SETTINGS);
    refresh(MOVING);
    refreshSlowly();
  });
  opened.addEventListener('error', () => {
    state = 'stale';
    tell();
    // The session may be over: the answer to this sends the page to the sign-in.
    void queries.invalidateQueries({ queryKey: ['state'] });
    if (opened.readyState !== EventSource.CLOSED) return;
    clearTimeout(timer);
    timer = setTimeout(open, RETRY_MS);
  });
}

/**
 * The stream is faster than the table that answers read: what it says stands at once, and is asked
 * for again a moment later, with everything else that a line's page shows.
 */
function lineChanged(live: LiveLine): void {
  lines = new Map(lines).set(live.line_id, live);
  const { line_id: id, status, phone, name } = live;
  const patched = (line: Line): Line => ({ ...line, status, phone: phone && `+${phone}`, name });
  const listKey = ['lines', mode.get()];
  queries.setQueryData<Line>(['line', id], (old) => old && patched(old));
  queries.setQueryData<Line[]>(listKey, (old) => old?.map((one) => (one.line_id === id ? patched(one) : one)));
  const isListed = queries.getQueryData<Line[]>(listKey)?.some(({ line_id }) => line_id === id);
  clearTimeout(settling.get(id));
  const later = setTimeout(() => {
    settling.delete(id);
    if (!isListed) void queries.invalidateQueries({ queryKey: listKey });
    refreshSlowly();
    for (const key of ['line', 'process', 'timeline', 'queue']) void queries.invalidateQueries({ queryKey: [key, id] });
  }, SETTLE_MS);
  settling.set(id, later);
  void queries.invalidateQueries({ queryKey: ['timeline', id] });
  tell();
}

/**
 * Listens while somebody is signed in; the returned function ends it. A change of mode starts
 * afresh.
 */
export function listen(): () => void {
  lines = new Map();
  state = 'connecting';
  open();
  return () => {
    source?.close();
    source = undefined;
    clearTimeout(timer);
  };
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state);
export const useLiveLine = (lineId: string): LiveLine | undefined =>
  useSyncExternalStore(subscribe, () => lines.get(lineId));
