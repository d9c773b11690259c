import { z } from 'zod';
import { LINE, lineParams, type SandboxRow } from './row.ts';

const fault = z.looseObject({ kind: z.string() });
const demands = z.looseObject({
  status_stanzas: z.boolean(),
  asked_batches: z.boolean(),
  sealed_edits: z.boolean(),
  login_counters: z.boolean(),
});
const DEMANDS = { status_stanzas: true, asked_batches: true, sealed_edits: true, login_counters: true };
const versions = z.looseObject({
  current: z.int().meta({ description: 'What the network’s page says.' }),
  min_pairing: z.int().meta({ description: 'Older ones cannot be linked any more.' }),
  min_login: z.int().meta({ description: 'Older ones are refused at every login (405).' }),
  expires_at: z.int().nullable().meta({ description: 'The end (Unix seconds) that is told to clients.' }),
});
const VERSIONS = { current: 1053500000, min_pairing: 0, min_login: 0, expires_at: null };
const stanza = z.looseObject({
  seq: z.int(),
  at: z.int(),
  direction: z.enum(['in', 'out']),
  tag: z.string(),
  attrs: z.record(z.string(), z.string()),
  children: z.array(z.string()),
  note: z.string().optional(),
});

/**
 * Lines as the network sees them: what goes wrong on them, and what went over their wire; the world
 * as a whole.
 */
export const LINE_ROWS: readonly SandboxRow[] = [
  {
    method: 'POST',
    path: '/lines/:line_id/faults',
    operation: 'sandboxFault',
    summary: 'Something goes wrong on a line',
    description:
      'kind: cut, replaced, logged_out, reg_refresh (at once); stream_error {code}; refuse, black_hole, restricted, cold_contacts {for_ms}; slow_acks {ms, for_ms}; lose_acks, duplicate, reorder, bad_mac, passkey_required, late_reg_refresh, refresh_lid {count}; reject_sends {code, count}; media_fail {status, count}; hostile {variant}.',
    params: lineParams,
    body: fault,
    requestExample: { kind: 'reject_sends', code: 463, count: 1 },
    answers: {
      201: { description: 'It will.', schema: fault, example: { kind: 'reject_sends', code: 463, count: 1 } },
    },
  },
  {
    method: 'GET',
    path: '/lines/:line_id/faults',
    operation: 'sandboxFaults',
    summary: 'Faults still to come',
    params: lineParams,
    answers: {
      200: {
        description: 'The faults.',
        schema: fault.array(),
        example: [{ kind: 'reject_sends', code: 463, count: 1 }],
      },
    },
  },
  {
    method: 'DELETE',
    path: '/lines/:line_id/faults',
    operation: 'sandboxClearFaults',
    summary: 'Nothing goes wrong any more',
    params: lineParams,
    answers: { 204: { description: 'Cleared.' } },
  },
  {
    method: 'GET',
    path: '/lines/:line_id/wire',
    operation: 'sandboxWire',
    summary: 'Stanzas the server saw of a line, without message texts',
    params: lineParams,
    query: z.object({ after: z.string().optional() }),
    answers: {
      200: {
        description: 'The stanzas, the oldest first; the latest 40 to 500 are kept.',
        schema: stanza.array(),
        example: [
          { seq: 7, at: 1777334400123, direction: 'in', tag: 'presence', attrs: { type: 'available' }, children: [] },
        ],
      },
    },
  },
  {
    method: 'GET',
    path: '/demands',
    operation: 'sandboxDemands',
    summary: 'What the network asks of clients, as WhatsApp does today',
    answers: { 200: { description: 'Each demand: true while it is made.', schema: demands, example: DEMANDS } },
  },
  {
    method: 'PATCH',
    path: '/demands',
    operation: 'sandboxChangeDemands',
    summary: 'Switch a demand off or on',
    description:
      'status_stanzas: statuses come as <status>, which must be acknowledged; asked_batches: mail from the time offline comes in the batches that are asked for; sealed_edits: phones seal what they edit; login_counters: a client that counts its logins counts on. A reset switches all of them on.',
    body: demands.partial(),
    requestExample: { status_stanzas: false },
    answers: {
      200: { description: 'The demands now.', schema: demands, example: { ...DEMANDS, status_stanzas: false } },
    },
  },
  {
    method: 'GET',
    path: '/client-version',
    operation: 'sandboxClientVersion',
    summary: 'Which versions of the client the network serves',
    answers: { 200: { description: 'By the last part of a version.', schema: versions, example: VERSIONS } },
  },
  {
    method: 'PATCH',
    path: '/client-version',
    operation: 'sandboxChangeClientVersion',
    summary: 'Put an end to older versions of the client',
    description:
      'current: what the network’s page says (lines take their version from it); min_pairing: older ones cannot be linked any more; min_login: older ones are refused at every login (405); expires_at: the end (Unix seconds) that is told to clients. A reset takes all of it back.',
    body: versions.partial(),
    requestExample: { current: 1053600000, min_login: 1053600000 },
    answers: {
      200: {
        description: 'The versions now.',
        schema: versions,
        example: { ...VERSIONS, current: 1053600000, min_login: 1053600000 },
      },
    },
  },
  {
    method: 'POST',
    path: '/storm',
    operation: 'sandboxStorm',
    summary: 'Connected lines lose their connection at the same instant: these, or all',
    body: z.object({ lines: z.array(z.string()).optional(), refuse_for_ms: z.int().optional() }).optional(),
    requestExample: { refuse_for_ms: 1000 },
    answers: {
      200: {
        description: 'Who was cut.',
        schema: z.looseObject({ cut: z.array(z.string()) }),
        example: { cut: [LINE] },
      },
    },
  },
  {
    method: 'POST',
    path: '/restart',
    operation: 'sandboxRestart',
    summary: 'The network goes down and comes up again with what it had kept',
    description:
      'Every connection is cut; faults and subscriptions are removed. No connection is accepted for down_for_ms.',
    body: z.object({ down_for_ms: z.int().optional() }).optional(),
    requestExample: { down_for_ms: 1000 },
    answers: {
      200: {
        description: 'It is up, or will be after that time.',
        schema: z.looseObject({ connections_cut: z.int() }),
        example: { connections_cut: 1 },
      },
    },
  },
  {
    method: 'POST',
    path: '/reset',
    operation: 'sandboxReset',
    summary: 'Empty the world: phones, groups, mail and files are gone, lines are logged out',
    answers: { 204: { description: 'Empty.' } },
  },
];
