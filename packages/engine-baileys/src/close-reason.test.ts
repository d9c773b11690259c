import { describe, expect, it } from 'vitest';
import { endingOf } from './close-reason.ts';

const NOW = 1_700_000_000_000;
const boom = (message: string, statusCode: number, data?: unknown) =>
  Object.assign(new Error(message), { output: { statusCode }, data });
const reasonOf = (error: unknown) => endingOf(error, 'established', NOW).reason;

describe('why a connection ended', () => {
  it.each([
    [401, 'logged_out'],
    [402, 'temporarily_banned'],
    [403, 'banned'],
    [405, 'client_outdated'],
    [406, 'banned'],
    [408, 'connection_lost'],
    [409, 'client_outdated'],
    [428, 'connection_lost'],
    [440, 'replaced'],
    [500, 'server_unavailable'],
    [503, 'server_unavailable'],
    [507, 'server_unavailable'],
    [515, 'restart_required'],
    [418, 'connection_lost'],
  ])('with code %i is %s', (code, reason) => {
    expect(reasonOf(boom('Connection Failure', code))).toBe(reason);
  });

  it('is a logout when the device was removed, whatever the code', () => {
    const conflict = { tag: 'conflict', attrs: { type: 'device_removed' } };
    expect(reasonOf(boom('Stream Errored (conflict)', 440, conflict))).toBe('logged_out');
    expect(reasonOf(boom('Stream Errored (conflict)', 440, { tag: 'conflict', attrs: { type: 'replaced' } }))).toBe(
      'replaced',
    );
  });

  it('says when a ban ends', () => {
    const error = boom('Connection Failure', 402, { reason: '402', code: '104', expire: '3600' });
    expect(endingOf(error, 'established', NOW)).toMatchObject({
      reason: 'temporarily_banned',
      retryAt: NOW + 3_600_000,
    });
  });

  it('is an untrusted server when the handshake failed by itself, a lost connection when the socket did', () => {
    const inHandshake = (error: unknown) => endingOf(error, 'handshake', NOW).reason;
    expect(inHandshake(new Error('Unsupported state or unable to authenticate data'))).toBe('untrusted_server');
    expect(inHandshake(boom('noise certificate signature invalid', 400))).toBe('untrusted_server');
    expect(inHandshake(boom('Connection Terminated', 428))).toBe('connection_lost');
    expect(inHandshake(boom('WebSocket Error (read ECONNRESET)', 500))).toBe('connection_lost');
    expect(endingOf(boom('WebSocket Error (connect ECONNREFUSED)', 408), 'connecting', NOW).reason).toBe(
      'connection_lost',
    );
  });

  it('shows no number in its detail', () => {
    expect(endingOf(boom('no session for 15550001111:3', 428), 'established', NOW).detail).not.toContain('15550001111');
  });
});
