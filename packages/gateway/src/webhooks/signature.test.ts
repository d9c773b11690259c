import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newWebhookSecret } from '../store/webhooks/webhooks.ts';
import { legacySignature, signingKey, standardHeaders } from './signature.ts';

/** The verifier printed in the published Lines documentation, as it stands. */
function publishedVerify(rawBody: string, signatureHeader: string, secret: string): boolean {
  const expected = `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`;
  return timingSafeEqual(Buffer.from(signatureHeader), Buffer.from(expected));
}

/**
 * What the Standard Webhooks libraries do with a secret and three headers, written from the
 * specification.
 */
function standardVerify(body: string, headers: ReturnType<typeof standardHeaders>, secret: string): boolean {
  const key = Buffer.from(secret.startsWith('whsec_') ? secret.slice(6) : secret, 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', key).update(signed).digest('base64');
  return headers['webhook-signature'].split(' ').some((one) => one === `v1,${expected}`);
}

const message = { id: 'evt_1', timestampSeconds: 1_777_180_605, body: '{"event":"message.received","data":"ñ €"}' };

describe('Standard Webhooks', () => {
  test('the example of the reference libraries comes out byte for byte', () => {
    const headers = standardHeaders(
      { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampSeconds: 1_614_265_330, body: '{"test": 2432232314}' },
      ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('a new secret without its wzb_ is one for every library: canonical base64 of at least 24 bytes', () => {
    for (let i = 0; i < 100; i++) {
      const secret = newWebhookSecret();
      expect(secret).toMatch(/^wzb_whsec_[A-Za-z0-9]{40}$/);
      const base64 = secret.slice('wzb_whsec_'.length);
      expect(signingKey(secret).toString('base64')).toBe(base64);
      expect(signingKey(secret).length).toBe(30);
      expect(standardVerify(message.body, standardHeaders(message, [secret]), secret.slice(4))).toBe(true);
    }
  });

  test('in a rotation either secret verifies, a third does not', () => {
    const [fresh, old, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
    const headers = standardHeaders(message, [fresh, old]);
    expect(standardVerify(message.body, headers, fresh.slice(4))).toBe(true);
    expect(standardVerify(message.body, headers, old.slice(4))).toBe(true);
    expect(standardVerify(message.body, headers, other.slice(4))).toBe(false);
  });
});

test('the published verifier accepts the legacy header, keyed with the whole secret', () => {
  const secret = newWebhookSecret();
  expect(publishedVerify(message.body, legacySignature(message.body, secret), secret)).toBe(true);
});

test('10 000 changed messages are all refused', () => {
  const secret = newWebhookSecret();
  const headers = standardHeaders(message, [secret]);
  const legacy = legacySignature(message.body, secret);
  const bytes = Buffer.from(message.body);
  for (let i = 0; i < 10_000; i++) {
    const changed = Buffer.from(bytes);
    const at = i % bytes.length;
    changed[at] = ((changed[at] ?? 0) + 1 + Math.floor(i / bytes.length)) % 256;
    const text = changed.toString('latin1');
    if (text === bytes.toString('latin1')) continue;
    if (standardVerify(text, headers, secret.slice(4)) || publishedVerify(text, legacy, secret)) {
      expect.unreachable(`accepted a message changed at byte ${at}`);
    }
  }
});
