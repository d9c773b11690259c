import { expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { Nudges } from './nudges.ts';

test('commits of one turn share a nudge, which says whether deliveries wait', async () => {
  const sent: boolean[] = [];
  const nudges = new Nudges((deliveries) => void sent.push(deliveries));
  nudges.tell(false);
  nudges.tell(true);
  nudges.tell(false);
  expect(sent).toEqual([]);
  await until('it is told', async () => sent.length > 0);
  expect(sent).toEqual([true]);
});

test('nothing is forgotten, and deliveries do not wait for the longer gap', async () => {
  const sent: boolean[] = [];
  const nudges = new Nudges((deliveries) => void sent.push(deliveries));
  nudges.tell(false);
  await until('the first is told', async () => sent.length === 1);
  nudges.tell(false);
  nudges.tell(true);
  await until('both are told', async () => sent.length === 2);
  expect(sent).toEqual([false, true]);
  nudges.tell(false);
  await until('the last is told', async () => sent.length === 3);
  expect(sent[2]).toBe(false);
});

test('many commits make few nudges', async () => {
  const sent: boolean[] = [];
  const nudges = new Nudges((deliveries) => void sent.push(deliveries));
  for (let commit = 0; commit < 500; commit += 1) {
    nudges.tell(true);
    await Promise.resolve();
  }
  await until('they are told', async () => sent.length > 0);
  expect(sent.length).toBeLessThan(100);
});
