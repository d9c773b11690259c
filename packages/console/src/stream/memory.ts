import type { StreamMessage } from './source.ts';

/** Lines whose last news is kept for pages that join later. */
const MAX_LINES = 20_000;

/** What a page that joins a running stream has to be told first. */
export interface Memory {
  note(message: StreamMessage): void;
  replay(tell: (message: StreamMessage) => void): void;
}

export function createMemory(): Memory {
  let state: StreamMessage = { kind: 'state', state: 'connecting' };
  const lines = new Map<string, StreamMessage>();
  return {
    note(message) {
      if (message.kind === 'state') state = message;
      else {
        state = { kind: 'state', state: 'live' };
        if (message.name === 'hello') lines.clear();
        if (message.name !== 'line') return;
        const { line_id: id } = message.data as { line_id: string };
        if (lines.has(id) || lines.size < MAX_LINES) lines.set(id, message);
      }
    },
    replay(tell) {
      tell(state);
      for (const line of lines.values()) tell(line);
    },
  };
}
