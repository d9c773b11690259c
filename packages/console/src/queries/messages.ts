import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Answer } from '../shapes.ts';

const PAGE = 50;

/** What was written in one chat of a line, newest first. */
export const messagesQuery = (lineId: string, jid: string) =>
  infiniteQueryOptions({
    queryKey: ['messages', lineId, jid],
    queryFn: ({ pageParam }) =>
      api<Answer<'listMessages'>>(
        'GET',
        `/messages?line_id=${lineId}&jid=${encodeURIComponent(jid)}&limit=${PAGE}${
          pageParam === null ? '' : `&before=${encodeURIComponent(pageParam)}`
        }`,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before ?? undefined,
  });
