import type { CertificateFlaw } from '../wire/certificates.ts';

/**
 * Ways in which the server itself lies to a line, each for the next connection or answer it
 * concerns.
 */
export type HostileVariant = CertificateFlaw | 'bad_account_signature' | 'bad_hmac' | 'bad_signed_prekey';

export const CERTIFICATE_FLAWS: readonly CertificateFlaw[] = [
  'wrong_root',
  'bad_intermediate_signature',
  'bad_leaf_signature',
  'leaf_not_bound',
  'expired_leaf',
];
export const HOSTILE_VARIANTS: readonly HostileVariant[] = [
  ...CERTIFICATE_FLAWS,
  'bad_account_signature',
  'bad_hmac',
  'bad_signed_prekey',
];

/**
 * What can go wrong on one line, as data. `count` rules are used up stanza by stanza, `forMs` rules
 * end by themselves on the world's clock, the others happen once and at once.
 */
export type FaultRule =
  | { kind: 'cut' }
  | { kind: 'replaced' }
  | { kind: 'logged_out' }
  | { kind: 'reg_refresh' }
  | { kind: 'stream_error'; code: number }
  | { kind: 'refuse'; forMs: number }
  | { kind: 'black_hole'; forMs: number }
  | { kind: 'restricted' | 'cold_contacts'; forMs: number }
  | { kind: 'slow_acks'; ms: number; forMs: number }
  | { kind: 'lose_acks' | 'duplicate' | 'reorder' | 'bad_mac'; count: number }
  | { kind: 'passkey_required' | 'late_reg_refresh' | 'refresh_lid'; count: number }
  | { kind: 'reject_sends'; code: number; count: number }
  | { kind: 'media_fail'; status: number; count: number }
  | { kind: 'hostile'; variant: HostileVariant };

/** The request for a fault is wrong: names the field and says what it may be. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}

const FOR_MS_MAX = 24 * 3600 * 1000;
const COUNT_MAX = 10_000;

type Body = Record<string, unknown>;

const KINDS: { [K in FaultRule['kind']]: (body: Body) => FaultRule } = {
  cut: () => ({ kind: 'cut' }),
  replaced: () => ({ kind: 'replaced' }),
  logged_out: () => ({ kind: 'logged_out' }),
  reg_refresh: () => ({ kind: 'reg_refresh' }),
  stream_error: (body) => ({ kind: 'stream_error', code: whole(body, 'code', 100, 999) }),
  refuse: (body) => ({ kind: 'refuse', forMs: whole(body, 'for_ms', 1, FOR_MS_MAX) }),
  black_hole: (body) => ({ kind: 'black_hole', forMs: whole(body, 'for_ms', 1, FOR_MS_MAX) }),
  restricted: (body) => ({ kind: 'restricted', forMs: whole(body, 'for_ms', 1, FOR_MS_MAX) }),
  slow_acks: (body) => ({
    kind: 'slow_acks',
    ms: whole(body, 'ms', 1, FOR_MS_MAX),
    forMs: whole(body, 'for_ms', 1, FOR_MS_MAX),
  }),
  lose_acks: (body) => ({ kind: 'lose_acks', count: whole(body, 'count', 1, COUNT_MAX) }),
  duplicate: (body) => ({ kind: 'duplicate', count: whole(body, 'count', 1, COUNT_MAX) }),
  reorder: (body) => ({ kind: 'reorder', count: whole(body, 'count', 2, 100) }),
  bad_mac: (body) => ({ kind: 'bad_mac', count: whole(body, 'count', 1, COUNT_MAX) }),
  passkey_required: (body) => ({
    kind: 'passkey_required',
    count: body.count === undefined ? 1 : whole(body, 'count', 1, COUNT_MAX),
  }),
  late_reg_refresh: (body) => ({ kind: 'late_reg_refresh', count: whole(body, 'count', 1, COUNT_MAX) }),
  refresh_lid: (body) => ({ kind: 'refresh_lid', count: whole(body, 'count', 1, COUNT_MAX) }),
  cold_contacts: (body) => ({ kind: 'cold_contacts', forMs: whole(body, 'for_ms', 1, FOR_MS_MAX) }),
  reject_sends: (body) => ({
    kind: 'reject_sends',
    code: whole(body, 'code', 100, 999),
    count: whole(body, 'count', 1, COUNT_MAX),
  }),
  media_fail: (body) => ({
    kind: 'media_fail',
    status: whole(body, 'status', 400, 599),
    count: whole(body, 'count', 1, COUNT_MAX),
  }),
  hostile: (body) => {
    const variant = HOSTILE_VARIANTS.find((v) => v === body.variant);
    if (!variant) throw new FaultError('variant', `must be one of ${HOSTILE_VARIANTS.join(', ')}`);
    return { kind: 'hostile', variant };
  },
};

export const FAULT_KINDS = Object.keys(KINDS);

/** Reads the body of `POST /lines/{id}/faults`. Throws FaultError. */
export function parseFault(body: unknown): FaultRule {
  if (typeof body !== 'object' || body === null)
    throw new FaultError('kind', 'the body must be a JSON object with a kind');
  const fields = body as Body;
  const kind = fields.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) {
    throw new FaultError('kind', `must be one of ${FAULT_KINDS.join(', ')}`);
  }
  return KINDS[kind as FaultRule['kind']](fields);
}

function whole(body: Body, field: string, min: number, max: number): number {
  const value = body[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new FaultError(field, `must be a whole number from ${min} to ${max}`);
  }
  return value;
}
