import { describe, expect, it } from 'vitest';
import { WA_CERT_DETAILS } from '../src/baileys.ts';
import { DEFAULT_ENDPOINT } from '../src/index.ts';
import { claimNoiseRoot } from '../src/noise-root.ts';

describe('noise root', () => {
  it('of WhatsApp itself is the default', () => {
    expect(DEFAULT_ENDPOINT.wsUrl).toBe('wss://web.whatsapp.com/ws/chat');
    expect(Buffer.from(DEFAULT_ENDPOINT.noiseRoot).toString('hex')).toBe(
      '142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b',
    );
  });

  it('is one for the whole process', () => {
    expect(() => claimNoiseRoot(Buffer.alloc(31))).toThrow('32 bytes');
    claimNoiseRoot(Buffer.alloc(32, 1));
    claimNoiseRoot(Buffer.alloc(32, 1));
    expect(WA_CERT_DETAILS.PUBLIC_KEY).toEqual(Buffer.alloc(32, 1));
    expect(() => claimNoiseRoot(Buffer.alloc(32, 2))).toThrow('another noise root');
    expect(() => claimNoiseRoot(DEFAULT_ENDPOINT.noiseRoot)).toThrow('another noise root');
    expect(WA_CERT_DETAILS.PUBLIC_KEY).toEqual(Buffer.alloc(32, 1));
  });
});
