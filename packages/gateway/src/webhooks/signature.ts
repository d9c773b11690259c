import { createHmac } from 'node:crypto';

/**
 * The HMAC key behind a secret, by the rule of the Standard Webhooks libraries (standard-webhooks
 * spec, "Signature scheme"): what follows `whsec_` is base64. Our prefix `wzb_` before it is not
 * part of it.
 */
export function signingKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^wzb_/, '').replace(/^whsec_/, ''), 'base64');
}

/**
 * The three Standard Webhooks headers over the exact body: `v1,<base64 HMAC-SHA256 of
 * "id.timestamp.body">`, one per secret, so that a receiver accepts either while a rotation is
 * under way.
 */
export function standardHeaders(
  message: { id: string; timestampSeconds: number; body: string },
  secrets: readonly string[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const { id, timestampSeconds, body } = message;
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', signingKey(secret)).update(`${id}.${timestampSeconds}.`).update(body);
    return `v1,${mac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}

/**
 * `sha256=<hex>` over the raw body, keyed with the whole secret as printed: what the published
 * Lines verifiers compute.
 */
export function legacySignature(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
