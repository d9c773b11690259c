import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createNews } from './news.ts';

const open = () => {
  const clock = new ManualClock();
  return { clock, news: createNews(clock), never: new AbortController().signal };
};

describe('news', () => {
  it('wakes everybody who waits, once', async () => {
    const { news, never } = open();
    const woken = Promise.all([news.next(1e6, never), news.next(1e6, never)]);
    news.tell();
    await woken;
  });

  it('wakes nobody later than asked for, and not at all who gave up', async () => {
    const { clock, news, never } = open();
    const late = news.next(5_000, never);
    const left = new AbortController();
    const gaveUp = news.next(1e6, left.signal);
    left.abort();
    await gaveUp;
    await clock.advance(5_000);
    await late;
  });

  it('has twenty places for one key, and gives each back once', () => {
    const { news } = open();
    const places = Array.from({ length: 20 }, () => news.enter('key'));
    expect(places.every(Boolean)).toBe(true);
    expect(news.enter('key')).toBeUndefined();
    expect(news.enter('other')).toBeDefined();
    places[0]?.();
    places[0]?.();
    expect(news.enter('key')).toBeDefined();
    expect(news.enter('key')).toBeUndefined();
  });

  it('lets everybody go when it closes, and takes nobody any more', async () => {
    const { news, never } = open();
    const waiting = news.next(1e6, never);
    news.close();
    await waiting;
    await news.next(1e6, never);
    expect(news.enter('key')).toBeUndefined();
  });
});
