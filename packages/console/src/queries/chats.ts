import { infiniteQueryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Answer, Chat } from '../shapes.ts';

const PAGE = 50;

/** A line's chats, newest first. */
export const chatsQuery = (lineId: string) =>
  infiniteQueryOptions({
    queryKey: ['chats', lineId],
    queryFn: ({ pageParam }) =>
      api<Answer<'listChats'>>(
        'GET',
        `/chats?line_id=${lineId}&limit=${PAGE}${pageParam === null ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const nameOf = (chat: Chat): string => chat.name ?? chat.phone ?? chat.jid.split('@')[0] ?? chat.jid;
