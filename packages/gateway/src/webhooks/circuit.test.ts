import { expect, test } from 'vitest';
import { Circuit } from './circuit.ts';
import { Slots } from './slots.ts';

const failure = (seq: number, now = 0, retryAfterMs?: number) => ({ seq, now, random: 1, retryAfterMs });

test('one poison delivery never closes the circuit, however often it fails', () => {
  const circuit = new Circuit({ concurrent: 8, wasFailing: false });
  for (let i = 0; i < 100; i++) circuit.failed(failure(1));
  expect(circuit.isDown).toBe(false);
  expect(circuit.limit).toBe(1);
});

test('failures of different deliveries close it; probes come with a growing gap of five seconds at most; a success opens it', () => {
  const circuit = new Circuit({ concurrent: 8, wasFailing: false });
  for (let seq = 1; seq <= 5; seq++) circuit.failed(failure(seq));
  expect(circuit.isDown).toBe(true);
  expect(circuit.limit).toBe(1);
  const gaps = [];
  let now = circuit.pausedUntil;
  gaps.push(now);
  for (let i = 0; i < 8; i++) {
    circuit.failed(failure(10, now));
    gaps.push(circuit.pausedUntil - now);
    now = circuit.pausedUntil;
  }
  expect(gaps).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000]);
  expect(circuit.succeeded()).toBe(true);
  expect(circuit).toMatchObject({ isDown: false, pausedUntil: 0 });
  for (let i = 0; i < 10; i++) circuit.succeeded();
  expect(circuit.limit).toBe(8);
});

test('a receiver that asks for patience gets it, a minute at most, and keeps its good name', () => {
  const circuit = new Circuit({ concurrent: 8, wasFailing: false });
  for (let seq = 1; seq <= 9; seq++) circuit.failed(failure(seq, 1_000, 3_600_000));
  expect(circuit).toMatchObject({ isDown: false, isTrusted: true, limit: 8, pausedUntil: 61_000 });
});

test('endpoints that hang never use up the slots of those that answer', () => {
  const slots = new Slots({ trusted: 4, suspect: 2 });
  const hanging = { inFlight: 0, isSuspect: false };
  const healthy = { inFlight: 0, isSuspect: false };
  while (slots.hasRoom(hanging)) slots.take(hanging);
  expect(hanging.inFlight).toBe(4);
  expect(slots.hasRoom(healthy)).toBe(false);
  slots.setSuspect(hanging, true);
  expect(slots.hasRoom(healthy)).toBe(true);
  expect(slots.hasRoom(hanging)).toBe(false);
  slots.release(hanging);
  slots.setSuspect(hanging, false);
  for (let i = 0; i < 3; i++) slots.release(hanging);
  expect(slots.inFlight).toBe(0);
});
