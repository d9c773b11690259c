import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Answer } from '../shapes.ts';

const FRESH_MS = 5 * 60_000;

/** What a line knows of a person; WhatsApp is asked. */
export const contactQuery = (lineId: string, jid: string) =>
  queryOptions({
    queryKey: ['contact', lineId, jid],
    queryFn: () => api<Answer<'getContact'>>('GET', `/contacts/${encodeURIComponent(jid)}?line_id=${lineId}`),
    staleTime: FRESH_MS,
    retry: false,
  });

/** A group with its members; WhatsApp is asked. */
export const groupQuery = (lineId: string, jid: string) =>
  queryOptions({
    queryKey: ['group', lineId, jid],
    queryFn: async () =>
      (await api<Answer<'getGroup'>>('GET', `/groups/${encodeURIComponent(jid)}?line_id=${lineId}`)).group,
    staleTime: FRESH_MS,
    retry: false,
  });
