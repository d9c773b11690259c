/** What a page hears of the stream: its state, and the server's events as they come. */
export type StreamMessage = { kind: 'state'; state: StreamState } | { kind: 'event'; name: StreamEvent; data: unknown };
export type StreamState = 'connecting' | 'live' | 'stale';
export type StreamEvent = (typeof EVENTS)[number];

const EVENTS = ['hello', 'ping', 'line', 'activity'] as const;
const ADDRESS = '/api/console/v1/stream';
/** The server says something every ten seconds; longer silence means that the stream is dead. */
const SILENCE_MS = 25_000;
/** The longest stays below the silence after which another page would take over (election.ts). */
const RETRY_MS = { first: 1_000, longest: 15_000 };

/**
 * The one connection to the server. Opens again by itself, later and later, until it is closed.
 * Runs in a page or in a worker.
 */
export function openSource(tell: (message: StreamMessage) => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = RETRY_MS.first;
  let isClosed = false;

  const later = (work: () => void, ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
  const lost = () => {
    source?.close();
    if (isClosed) return;
    tell({ kind: 'state', state: 'stale' });
    later(open, waitMs * (0.5 + Math.random()));
    waitMs = Math.min(waitMs * 2, RETRY_MS.longest);
  };
  function open(): void {
    const opened = new EventSource(ADDRESS);
    source = opened;
    later(lost, SILENCE_MS);
    for (const name of EVENTS) {
      opened.addEventListener(name, (event) => {
        later(lost, SILENCE_MS);
        waitMs = RETRY_MS.first;
        tell({ kind: 'event', name, data: JSON.parse((event as MessageEvent<string>).data) });
      });
    }
    // The browser's own retries know no limit and no growing pause.
    opened.addEventListener('error', lost);
  }

  open();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    source?.close();
  };
}
