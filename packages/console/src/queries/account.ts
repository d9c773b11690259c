import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Answer, State, Usage } from '../shapes.ts';

/** Who is signed in, and what this installation is. */
export const stateQuery = queryOptions({
  queryKey: ['state'],
  queryFn: () => api<State>('GET', '/state'),
  staleTime: 60_000,
});

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async () => (await api<Answer<'listUsers'>>('GET', '/users')).users,
});

/** Where the person is signed in. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async () => (await api<Answer<'listSessions'>>('GET', '/sessions')).sessions,
});

/** Where the person is told of problems. */
export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: () => api<Answer<'readAlerts'>>('GET', '/alerts'),
});

export const passkeysQuery = queryOptions({
  queryKey: ['passkeys'],
  queryFn: async () => (await api<Answer<'listPasskeys'>>('GET', '/passkeys')).passkeys,
});

/** The API keys of one mode. */
export const keysQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['keys', of],
    queryFn: async () => (await api<Answer<'listKeys'>>('GET', '/keys', undefined, of)).keys,
  });

/** What the plan allows, and what is used of it. */
export const usageQuery = (of: Mode) =>
  queryOptions({ queryKey: ['usage', of], queryFn: () => api<Usage>('GET', '/usage', undefined, of) });

/** Sends that wait for a person, and what became of earlier ones. */
export const approvalsQuery = (of: Mode) =>
  queryOptions({
    queryKey: ['approvals', of],
    queryFn: async () => (await api<Answer<'listApprovals'>>('GET', '/approvals', undefined, of)).approvals,
  });
