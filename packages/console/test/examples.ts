import type { Problem, Problems } from '../src/queries/problems.ts';
import type { Line, ListedMessage, State } from '../src/shapes.ts';

/** A test line that waits for a phone. */
export const line = (facts: Partial<Line> = {}): Line => ({
  line_id: 'line_1',
  label: 'Support',
  status: 'unpaired',
  phone: null,
  name: null,
  mode: 'test',
  customer_ref: null,
  created_at: '2026-01-01T00:00:00.000Z',
  connected_at: null,
  status_reason: null,
  status_until: null,
  status_code: null,
  status_remedy: null,
  lid: null,
  credentials_kept_until: null,
  ...facts,
});

/** An installation with a signed-in owner and the simulated network. */
export const state = (facts: Partial<State> = {}): State => ({
  set_up: true,
  insecure: false,
  version: '0.0.0',
  sandbox: true,
  whatsapp_version: null,
  user: { id: 'usr_1', email: 'olga@example.com', name: 'Olga Owner', role: 'owner' },
  ...facts,
});

/** Nothing is wrong. */
export const problems = (facts: Partial<Problems> = {}): Problems => ({
  problems: [],
  approvals: { waiting: 0, expiring: 0, first_ends_at: null },
  disk: null,
  clock: null,
  ...facts,
});

export const problem = (facts: Partial<Problem> = {}): Problem => ({
  kind: 'line_down',
  line_id: 'line_1',
  webhook_id: null,
  reason: 'connection_lost',
  since: '2026-01-01T00:00:00.000Z',
  ...facts,
});

/** What a composer looks at of the message that is answered. */
export const quoted = { message_id: 'wamid_1', body: 'Is this support?', type: 'text' } as ListedMessage;
