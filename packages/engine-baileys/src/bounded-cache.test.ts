import { describe, expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.ts';

describe('bounded cache', () => {
  it('forgets the least recently used beyond its limit, and everything after its time', () => {
    let now = 0;
    const cache = new BoundedCache(2, 1_000, () => now);
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.get('a')).toBe(1);
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
    now = 1_000;
    expect([cache.get('a'), cache.get('c')]).toEqual([undefined, undefined]);
  });

  it('deletes and flushes', () => {
    const cache = new BoundedCache(5, 1_000, () => 0);
    cache.set('a', 1);
    cache.set('b', 1);
    cache.del('a');
    expect(cache.get('a')).toBeUndefined();
    cache.flushAll();
    expect(cache.get('b')).toBeUndefined();
  });
});
