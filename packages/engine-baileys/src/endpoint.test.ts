import { expect, test } from 'vitest';
import { DEFAULT_CONNECTION_CONFIG, WA_CERT_DETAILS } from './baileys.ts';
import { BUILT_IN_VERSION, DEFAULT_ENDPOINT } from './endpoint.ts';

test('the endpoint of WhatsApp is the one that the client library ships', () => {
  expect(DEFAULT_ENDPOINT.wsUrl).toBe(String(DEFAULT_CONNECTION_CONFIG.waWebSocketUrl));
  expect(Buffer.from(DEFAULT_ENDPOINT.noiseRoot)).toEqual(Buffer.from(WA_CERT_DETAILS.PUBLIC_KEY));
});

test('the built-in version is the one of the client library', () => {
  expect(BUILT_IN_VERSION).toEqual(DEFAULT_CONNECTION_CONFIG.version);
});
