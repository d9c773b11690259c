import { createMemory } from './memory.ts';
import { openSource, type StreamMessage } from './source.ts';

/**
 * For browsers without shared workers: pages elect one of them over a BroadcastChannel; it holds
 * the connection and passes on what it receives. When it goes, or falls silent, another takes over.
 * Two leaders that meet settle it by their ids.
 */
type Word =
  | { say: 'who' }
  | { say: 'lead'; id: string }
  | { say: 'gone' }
  | { say: 'news'; id: string; message: StreamMessage };

const CHANNEL = 'ponte-stream';
const ANSWER_WITHIN_MS = 400;
/** The leader passes on a ping every ten seconds. */
const SILENCE_MS = 30_000;

export function joinElection(tell: (message: StreamMessage) => void): () => void {
  const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  const channel = new BroadcastChannel(CHANNEL);
  const memory = createMemory();
  const say = (word: Word) => channel.postMessage(word);
  let close: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const standIn = (afterMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(lead, afterMs);
  };
  function lead(): void {
    say({ say: 'lead', id });
    close ??= openSource((message) => {
      memory.note(message);
      tell(message);
      say({ say: 'news', id, message });
    });
  }
  const follow = () => {
    close?.();
    close = undefined;
    standIn(SILENCE_MS * (1 + Math.random() / 4));
  };

  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (data.say === 'gone') standIn(Math.random() * ANSWER_WITHIN_MS);
    else if (data.say === 'who') {
      if (!close) return;
      say({ say: 'lead', id });
      memory.replay((message) => say({ say: 'news', id, message }));
    } else if (close && data.id > id) say({ say: 'lead', id });
    else {
      follow();
      if (data.say === 'news') tell(data.message);
    }
  });
  say({ say: 'who' });
  standIn(ANSWER_WITHIN_MS * (1 + Math.random()));

  return () => {
    clearTimeout(timer);
    if (close) say({ say: 'gone' });
    close?.();
    channel.close();
  };
}
