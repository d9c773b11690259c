import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createAuthority, issueServer, pemOf } from './tls-certificates.ts';

const NAMES = ['localhost', '127.0.0.1', '::1', 'mmg.whatsapp.net', '*.whatsapp.net'];

function made() {
  const authority = createAuthority('Test authority', randomBytes(32), randomBytes(16), Date.now());
  const scalar = randomBytes(32);
  const serial = randomBytes(16);
  const leaf = issueServer({
    authority,
    authorityName: 'Test authority',
    names: NAMES,
    scalar,
    serial,
    nowMs: Date.now(),
  });
  return { authority, leaf };
}

test('the certificates say who they are for, and one is signed by the other', () => {
  const { authority, leaf } = made();
  const ca = new X509Certificate(authority.certificate);
  const server = new X509Certificate(leaf.certificate);
  expect([ca.ca, server.ca]).toEqual([true, false]);
  expect(server.verify(ca.publicKey)).toBe(true);
  expect(server.checkIssued(ca)).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect([server.checkHost('mmg.whatsapp.net'), server.checkHost('pps.whatsapp.net')]).toEqual([
    'mmg.whatsapp.net',
    '*.whatsapp.net',
  ]);
  expect([server.checkIP('127.0.0.1'), server.checkIP('::1'), server.checkIP('10.0.0.1')]).toEqual([
    '127.0.0.1',
    '::1',
    undefined,
  ]);
  expect(server.checkHost('example.com')).toBeUndefined();
});

test('a TLS client that trusts the authority, and only it, accepts the server', async () => {
  const { authority, leaf } = made();
  const key = leaf.privateKey.export({ format: 'pem', type: 'pkcs8' });
  const server = createServer({ key, cert: pemOf(leaf.certificate) }, (_request, response) => response.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fetched = (ca: string | undefined, servername?: string) =>
    new Promise<number | string | undefined>((resolve) => {
      const names = servername === undefined ? {} : { servername };
      const url = `https://127.0.0.1:${port}/`;
      get(url, { ca, agent: false, ...names }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
  expect(await fetched(pemOf(authority.certificate))).toBe(200);
  expect(await fetched(pemOf(authority.certificate), 'mmg.whatsapp.net')).toBe(200);
  expect(await fetched(pemOf(authority.certificate), 'example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(await fetched(undefined)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  expect(await fetched(pemOf(made().authority.certificate))).toMatch(/UNABLE_TO|CERT_SIGNATURE/);
  server.closeAllConnections();
  server.close();
});
