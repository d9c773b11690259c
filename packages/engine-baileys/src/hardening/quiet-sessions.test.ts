import './install.ts';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createLibsignalDevice, meet } from '../../test/libsignal-device.ts';

function flipBit(bytes: Buffer, at: number): void {
  const index = bytes.length + at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
}

describe('libsignal under the hardening', () => {
  it('prints nothing, let alone a private key, when sessions close, reopen, fail and are dropped', () => {
    // A process of its own, so that stdout and stderr are exactly what an operator's log would
    // hold.
    const script = fileURLToPath(new URL('../../test/quiet-sessions.fixture.ts', import.meta.url));
    const run = (mode: string) =>
      spawnSync(process.execPath, [script, mode], {
        encoding: 'utf8',
        timeout: 25_000,
      });
    const hardened = run('hardened');
    expect(hardened.stderr).toBe('');
    expect(hardened.stdout).toBe('console still works\ndone\n');
    expect(hardened.status).toBe(0);
    // The same steps on libsignal as it came do print, so the silence above is not for want of an
    // occasion.
    const stock = run('stock');
    expect(stock.stdout + stock.stderr).toMatch(/Closing session: SessionEntry/);
    expect(stock.stdout + stock.stderr).toMatch(/privKey: <Buffer/);
    expect(stock.stdout + stock.stderr).toMatch(/Closing open session in favor/);
    expect(stock.stdout + stock.stderr).toMatch(/Decrypted message with closed session/);
    expect(stock.stdout + stock.stderr).toMatch(/Session error:/);
    expect(stock.stdout + stock.stderr).toMatch(/Removing old closed session/);
  });

  it('decrypts a late message of a closed session without harming the open one', async () => {
    const alice = createLibsignalDevice('alice');
    const bob = createLibsignalDevice('bob');
    await alice.startSession(bob);
    await meet(alice, bob);
    const late = await alice.encrypt(bob, 'late');
    await alice.startSession(bob);
    expect(await bob.decrypt(alice, await alice.encrypt(bob, 'second session'))).toBe('second session');
    expect(await alice.decrypt(bob, await bob.encrypt(alice, 'reply'))).toBe('reply');
    // Tried on the open session first, where it fails after the ratchet was stepped.
    expect(await bob.decrypt(alice, late)).toBe('late');
    expect(await alice.decrypt(bob, await bob.encrypt(alice, 'and on'))).toBe('and on');
    await meet(alice, bob);
    expect(bob.sessions(alice).map((session) => session.indexInfo.closed === -1)).toEqual([false, true]);
  });

  it('refuses what no session can read in the words Baileys knows, and stores nothing', async () => {
    const alice = createLibsignalDevice('alice');
    const bob = createLibsignalDevice('bob');
    await alice.startSession(bob);
    await meet(alice, bob);
    await alice.startSession(bob);
    await meet(alice, bob);
    const before = bob.stored(alice);
    const forged = await alice.encrypt(bob, 'forged');
    flipBit(forged.body, -1);
    await expect(bob.decrypt(alice, forged)).rejects.toThrow('No matching sessions found for message');
    expect(bob.stored(alice)).toBe(before);
    await expect(bob.decrypt(createLibsignalDevice('eve'), forged)).rejects.toThrow('No session record');

    await alice.startSession(bob);
    const first = await alice.encrypt(bob, 'first');
    await bob.decrypt(alice, first);
    await expect(bob.decrypt(alice, first)).rejects.toThrow('Key used already or never filled');
  });

  it('keeps the open session when libsignal refuses a message that would start another', async () => {
    const alice = createLibsignalDevice('alice');
    const bob = createLibsignalDevice('bob');
    await alice.startSession(bob);
    await meet(alice, bob);
    await alice.startSession(bob);
    const first = await alice.encrypt(bob, 'first');
    // Inside the message's MAC: behind it come the registration id and the signed pre-key id, two
    // bytes each.
    flipBit(first.body, -6);
    await expect(bob.decrypt(alice, first)).rejects.toThrow();
    expect(bob.sessions(alice).filter((session) => session.indexInfo.closed === -1)).toHaveLength(1);
  });
});
