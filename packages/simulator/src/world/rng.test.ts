import { expect, test } from 'vitest';
import { createRng, hexId } from './rng.ts';

test('the same seed gives the same sequence, another seed or none a different one', () => {
  const draw = (seed?: string): string => hexId(createRng(seed), 16);
  expect(draw('a')).toBe(draw('a'));
  expect(new Set([draw('a'), draw('b'), draw(), draw()]).size).toBe(4);
});

test('whole numbers stay below their bound and reach all of it', () => {
  const rng = createRng('spread');
  const seen = new Set(Array.from({ length: 500 }, () => rng.int(7)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(() => rng.int(0)).toThrow(RangeError);
});
