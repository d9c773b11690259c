import type { components } from './generated/api.ts';

/** An event in the Lines format; `event` says which, and what `data` holds. */
export type LinesEvent = components['schemas']['LinesEvent'];
/** An event in the Bridges format; `event` says which. */
export type BridgesEvent = components['schemas']['BridgesEvent'];

/** The delivery is not what it claims to be; answer it with 401. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly reason: 'headers_missing' | 'too_old' | 'signature_mismatch' | 'not_json';

  constructor(reason: WebhookError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface VerifyOptions {
  /** Seconds that a delivery may be old, or ahead. Default 300. */
  toleranceSeconds?: number;
  /** Unix seconds; default: now. */
  now?: number;
}

/** Headers as servers hand them over: a `Headers`, or an object with names in lower case. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * Checks the signature of a delivery over the raw bytes of its body and gives its event. Throws a
 * WebhookError. `secret` as it was shown, `wzb_whsec_…` or `whsec_…`; during a rotation either of
 * the two passes. The scheme is that of Standard Webhooks (https://www.standardwebhooks.com).
 */
export async function verifyWebhook<E extends LinesEvent | BridgesEvent = LinesEvent>(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string,
  { toleranceSeconds = 300, now = Date.now() / 1_000 }: VerifyOptions = {},
): Promise<E> {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const given = headerOf(headers, 'webhook-signature');
  if (!id || !timestamp || !given) throw new WebhookError('headers_missing', 'the webhook-* headers are missing');
  if (!(Math.abs(now - Number(timestamp)) <= toleranceSeconds)) {
    throw new WebhookError('too_old', 'the delivery was not signed recently');
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + bytes.length);
  signed.set(head);
  signed.set(bytes, head.length);
  const key = await crypto.subtle.importKey('raw', keyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  let isGenuine = false;
  for (const one of given.split(' ')) {
    const [version, text = ''] = one.split(',');
    const signature = version === 'v1' ? decoded(text) : undefined;
    // Compared by the platform, in constant time.
    if (signature && (await crypto.subtle.verify('HMAC', key, signature, signed))) isGenuine = true;
  }
  if (!isGenuine) throw new WebhookError('signature_mismatch', 'the signature does not match; is it this secret?');
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as E;
  } catch {
    throw new WebhookError('not_json', 'the body is no JSON');
  }
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof Headers !== 'undefined' && headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = (headers as Record<string, string | string[] | undefined>)[name];
  return Array.isArray(value) ? value[0] : value;
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const key = decoded(secret.replace(/^(?:wzb_)?whsec_/, ''));
  if (!key || key.length < 16) throw new TypeError('this is no webhook secret: it reads wzb_whsec_… or whsec_…');
  return key;
}

/** Undefined for what is no base64. */
function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
