import { createDecipheriv } from 'node:crypto';
import { child, EngineError, type Node } from '@ponte/engine';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aesDecryptCTR, aesEncryptCTR, Curve, derivePairingCodeKey, hkdf, initAuthCreds } from '../baileys.ts';
import type { Ending } from '../close-reason.ts';
import { Pairing, type PairingWish } from './pairing.ts';
import { FIRST_REF_MS, NEXT_REF_MS } from './pairing-driver.ts';

const REFS = ['ref-1', 'ref-2', 'ref-3'];
const pairDevice: Node = {
  tag: 'iq',
  attrs: { id: '1' },
  content: [
    {
      tag: 'pair-device',
      attrs: {},
      content: REFS.map((ref) => ({ tag: 'ref', attrs: {}, content: Buffer.from(ref) })),
    },
  ],
};
const notification = (type: string, ...content: Node[]): Node => ({
  tag: 'notification',
  attrs: { id: 'n1', from: '@s.whatsapp.net', type },
  content,
});

function start(wish: PairingWish, answer: (node: Node) => Promise<Node> = async (node) => node) {
  const creds = initAuthCreds();
  const seen = {
    qr: [] as [string, number][],
    code: [] as [string, number][],
    sent: [] as Node[],
    asked: [] as Node[],
  };
  const endings: Ending[] = [];
  const pairing = new Pairing(
    {
      creds,
      now: () => Date.now(),
      send: async (node) => void seen.sent.push(node),
      query: async (node) => {
        seen.asked.push(node);
        return answer(node);
      },
      onQr: (data, expiresAt) => seen.qr.push([data, expiresAt]),
      onCode: (code, expiresAt) => seen.code.push([code, expiresAt]),
      end: (ending) => endings.push(ending),
      keep: async () => {},
      onPaired: () => {},
    },
    wish,
  );
  return { pairing, creds, endings, ...seen };
}

describe('pairing by QR code', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('shows one code after another and gives up after the last', async () => {
    const { pairing, qr, endings, sent } = start({ kind: 'qr' });
    const startedAt = Date.now();
    await pairing.onPairDevice(pairDevice);
    expect(sent).toMatchObject([{ tag: 'iq', attrs: { type: 'result', id: '1' } }]);
    expect(qr).toHaveLength(1);
    expect(qr[0]?.[0]).toContain('#ref-1,');
    expect(qr[0]?.[1]).toBe(startedAt + FIRST_REF_MS);
    vi.advanceTimersByTime(FIRST_REF_MS);
    expect(qr[1]?.[0]).toContain('#ref-2,');
    expect(qr[1]?.[1]).toBe(startedAt + FIRST_REF_MS + NEXT_REF_MS);
    vi.advanceTimersByTime(2 * NEXT_REF_MS);
    expect(qr).toHaveLength(3);
    expect(endings).toMatchObject([{ reason: 'pairing_expired' }]);
  });

  it('shows the same reference with a new secret when the secret is to be replaced', async () => {
    const { pairing, qr, sent, creds } = start({ kind: 'qr' });
    await pairing.onPairDevice(pairDevice);
    const secret = creds.advSecretKey;
    await pairing.onStanza(notification('companion_reg_refresh'));
    expect(creds.advSecretKey).not.toBe(secret);
    expect(qr[1]?.[0]).toContain('#ref-1,');
    expect(qr[1]?.[0]).toContain(creds.advSecretKey);
    expect(qr[1]?.[1]).toBe(qr[0]?.[1]);
    expect(sent.at(-1)).toEqual({
      tag: 'ack',
      attrs: { class: 'notification', id: 'n1', to: '@s.whatsapp.net', type: 'companion_reg_refresh' },
    });
    pairing.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['passkey_prologue_request', 'crsc_continuation'])('says that a passkey is needed on %s', async (type) => {
    const { pairing, endings } = start({ kind: 'qr' });
    await pairing.onStanza(notification(type));
    expect(endings).toMatchObject([{ reason: 'passkey_required' }]);
  });
});

describe('pairing by code', () => {
  const wish: PairingWish = { kind: 'code', phone: '15550001111' };
  const TAG = 'link_code_companion_reg';
  const part = (name: string, content: Uint8Array): Node => ({ tag: name, attrs: {}, content });

  const helloAnswer: Node = {
    tag: 'iq',
    attrs: { type: 'result' },
    content: [{ tag: TAG, attrs: {}, content: [part('link_code_pairing_ref', Buffer.from('the ref'))] }],
  };

  it('shows a code once WhatsApp has taken it, and agrees on a secret with the phone that enters it', async () => {
    const { pairing, code, asked, creds, endings } = start(wish, async () => helloAnswer);
    await pairing.onPairDevice(pairDevice);
    const hello = child(asked[0], TAG);
    expect(child(hello, 'link_code_pairing_nonce')?.content).toEqual(Uint8Array.of(0));
    expect(hello?.attrs).toMatchObject({ jid: '15550001111@s.whatsapp.net', stage: 'companion_hello' });
    const [shown = '', expiresAt = 0] = code[0] ?? [];
    expect(shown).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    expect(expiresAt).toBeGreaterThan(Date.now());

    // The phone: unwraps our ephemeral key with the code and wraps its own.
    const digits = shown.replace('-', '');
    const wrapped = Buffer.from(
      (child(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub')?.content as Uint8Array) ?? [],
    );
    const ourKey = await derivePairingCodeKey(digits, wrapped.subarray(0, 32));
    const ourEphemeral = aesDecryptCTR(wrapped.subarray(48), ourKey, wrapped.subarray(32, 48));
    expect(Buffer.from(ourEphemeral)).toEqual(Buffer.from(creds.pairingEphemeralKeyPair.public));
    const phoneEphemeral = Curve.generateKeyPair();
    const phoneIdentity = Curve.generateKeyPair();
    const salt = Buffer.alloc(32, 7);
    const iv = Buffer.alloc(16, 8);
    const phoneKey = await derivePairingCodeKey(digits, salt);
    const phoneWrapped = Buffer.concat([salt, iv, aesEncryptCTR(phoneEphemeral.public, phoneKey, iv)]);
    const primary = [
      part('link_code_pairing_wrapped_primary_ephemeral_pub', phoneWrapped),
      part('primary_identity_pub', phoneIdentity.public),
      part('link_code_pairing_ref', Buffer.from('the ref')),
    ];
    const foreign = [...primary.slice(0, 2), part('link_code_pairing_ref', Buffer.from('another ref'))];
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs: { stage: 'primary_hello' }, content: foreign }));
    expect([asked.length, endings]).toEqual([1, []]);
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs: { stage: 'primary_hello' }, content: primary }));

    const finish = child(asked[1], TAG);
    expect(finish?.attrs).toMatchObject({ stage: 'companion_finish' });
    const sealed = Buffer.from((child(finish, 'link_code_pairing_wrapped_key_bundle')?.content as Uint8Array) ?? []);
    const shared = Curve.sharedKey(phoneEphemeral.private, creds.pairingEphemeralKeyPair.public);
    const bundleKey = hkdf(Buffer.from(shared), 32, {
      salt: sealed.subarray(0, 32),
      info: 'link_code_pairing_key_bundle_encryption_key',
    });
    const open = createDecipheriv('aes-256-gcm', bundleKey, sealed.subarray(32, 44));
    open.setAuthTag(sealed.subarray(-16));
    const bundle = Buffer.concat([open.update(sealed.subarray(44, -16)), open.final()]);
    expect(bundle.subarray(0, 32)).toEqual(Buffer.from(creds.signedIdentityKey.public));
    expect(bundle.subarray(32, 64)).toEqual(Buffer.from(phoneIdentity.public));
    const identityShared = Curve.sharedKey(phoneIdentity.private, creds.signedIdentityKey.public);
    const secret = hkdf(Buffer.concat([shared, identityShared, bundle.subarray(64)]), 32, { info: 'adv_secret' });
    expect(creds.advSecretKey).toBe(Buffer.from(secret).toString('base64'));
    await pairing.onStanza(notification('companion_reg_refresh'));
    expect(creds.advSecretKey).toBe(Buffer.from(secret).toString('base64'));
    pairing.stop();
  });

  it('tells a refusal instead of a code', async () => {
    const { pairing, code, endings } = start(wish, async () => {
      throw new EngineError('rejected', 'rate-overlimit', { serverCode: 429 });
    });
    await pairing.onPairDevice(pairDevice);
    pairing.stop();
    expect(code).toEqual([]);
    expect(endings).toMatchObject([{ reason: 'pairing_failed', serverCode: 429 }]);
  });

  it('names the limit behind a bad request, and what to do', async () => {
    const { pairing, endings } = start(wish, async () => {
      throw new EngineError('rejected', 'bad-request', { serverCode: 400 });
    });
    await pairing.onPairDevice(pairDevice);
    pairing.stop();
    expect(endings).toMatchObject([{ reason: 'pairing_failed', serverCode: 400 }]);
    expect(endings[0]?.detail).toMatch(/limits how many.*wait an hour.*QR/);
  });

  it('waits for a person where WhatsApp wants one, and for the passkey that is only announced', async () => {
    const { pairing, code, endings } = start(wish, async () => helloAnswer);
    await pairing.onPairDevice(pairDevice);
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs: { stage: 'primary_hello' } }));
    expect(endings).toEqual([]);
    const attrs = { stage: 'refresh_code', force_manual_refresh: 'true' };
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs }));
    pairing.stop();
    expect([code.length, endings.map(({ reason }) => reason)]).toEqual([1, ['pairing_expired']]);
  });

  it('draws another code when WhatsApp asks for one', async () => {
    const { pairing, code } = start(wish);
    await pairing.onPairDevice(pairDevice);
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs: { stage: 'refresh_code' } }));
    pairing.stop();
    expect(code).toHaveLength(2);
    expect(code[1]?.[0]).not.toBe(code[0]?.[0]);
  });

  it('ends on malformed keys', async () => {
    const { pairing, endings } = start(wish);
    await pairing.onPairDevice(pairDevice);
    const content = [part('link_code_pairing_wrapped_primary_ephemeral_pub', Buffer.alloc(3))];
    await pairing.onStanza(notification(TAG, { tag: TAG, attrs: { stage: 'primary_hello' }, content }));
    pairing.stop();
    expect(endings).toMatchObject([{ reason: 'pairing_failed' }]);
  });
});
