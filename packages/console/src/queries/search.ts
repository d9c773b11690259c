import { queryOptions } from '@tanstack/react-query';
import { ApiError, api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Answer, Line, ListedMessage } from '../shapes.ts';
import { queries } from './client.ts';
import { linesQuery } from './lines.ts';

export interface Found {
  line: Line;
  message: ListedMessage;
}
export interface SearchAnswer {
  /** Newest first. */
  found: Found[];
  /** Lines that were asked, of all that ever had a phone. */
  asked: number;
  all: number;
  /** Lines that could not be asked. */
  failed: Line[];
}

/** A search asks one line after the other, a few at once, and not without an end. */
const AT_ONCE = 4;
const LINES_AT_MOST = 200;
const OF_EACH = 20;

/** Messages of all lines of a mode with these words. The API searches one line at a time. */
export const searchQuery = (of: Mode, wanted: string) =>
  queryOptions({
    queryKey: ['messages', 'search', of, wanted],
    queryFn: ({ signal }) => searchAll(of, wanted, signal),
    enabled: wanted !== '',
    retry: false,
  });

async function searchAll(of: Mode, wanted: string, signal: AbortSignal): Promise<SearchAnswer> {
  const lines = (await queries.ensureQueryData(linesQuery(of))).filter(({ phone }) => phone !== null);
  const asked = lines.slice(0, LINES_AT_MOST);
  const answer: SearchAnswer = { found: [], asked: asked.length, all: lines.length, failed: [] };
  const waiting = asked.values();
  const work = async () => {
    for (const line of waiting) {
      if (signal.aborted) return;
      const path = `/messages?line_id=${line.line_id}&limit=${OF_EACH}&q=${encodeURIComponent(wanted)}`;
      try {
        const { messages } = await api<Answer<'listMessages'>>('GET', path, undefined, of);
        answer.found.push(...messages.map((message) => ({ line, message })));
      } catch (error) {
        // What is refused for the words is refused by every line; what fails for one is told.
        if (!(error instanceof ApiError) || error.status === 400 || error.code === 'search_off') throw error;
        answer.failed.push(line);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  answer.found.sort((a, b) => b.message.timestamp - a.message.timestamp);
  return answer;
}
