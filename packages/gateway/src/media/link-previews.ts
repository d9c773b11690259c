import type { LinkCard } from '@ponte/engine';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import { createPlaces } from '../core/places.ts';
import { within } from '../core/within.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import { linkIn, type PageCard, pageText, readCard } from './page-card.ts';
import { findSharp, INPUT_PIXELS_MAX } from './sharp.ts';

/** No send waits longer than this for its card. */
const WITHIN_MS = 3_000;
/** What a card needs stands at the beginning of a page. */
const PAGE_MAX_BYTES = 512 * 1024;
const IMAGE_MAX_BYTES = 4 * 1024 * 1024;
/** Shown beside the title; it travels inside the message. */
const THUMBNAIL_PIXELS = 192;
const THUMBNAIL_MAX_BYTES = 32 * 1024;
const AT_ONCE_MAX = 16;
/** The same link goes to many people: its card is made once. */
const KEPT_MAX = 200;
const KEPT_MS = 10 * 60_000;
const HEADERS = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.1', 'user-agent': 'Ponte (link preview)' };

/** Makes the cards of links in texts. */
export interface LinkPreviews {
  /**
   * The card of the first link in a text. Undefined when there is none, or it is not there within
   * three seconds: a text never fails, and never waits longer, for its card.
   */
  of(text: string): Promise<LinkCard | undefined>;
}

/** Cards by guarded fetches: public addresses only, bounded in size, time and number. */
export function createLinkPreviews({ guard, clock }: { guard: Pick<Guard, 'fetch'>; clock: Clock }): LinkPreviews {
  const kept = new LRUCache<string, { card: LinkCard | undefined; until: number }>({ max: KEPT_MAX });
  const places = createPlaces(AT_ONCE_MAX);
  const make = async (url: string, signal: AbortSignal): Promise<LinkCard | undefined> => {
    const page = await fetchPage(guard, url, signal);
    if (!page) return undefined;
    const { image, ...card } = page;
    const thumbnail =
      image === undefined ? undefined : await fetchThumbnail(guard, image, signal).catch(() => undefined);
    return { url, ...card, ...(thumbnail === undefined ? {} : { thumbnail }) };
  };
  return {
    async of(text) {
      const url = linkIn(text);
      if (url === undefined) return undefined;
      const known = kept.get(url);
      if (known && known.until > clock.monotonic()) return known.card;
      const leave = places.take();
      if (!leave) return undefined;
      const over = new AbortController();
      const made = make(url, over.signal).catch(() => undefined);
      const card = await within(clock, made, WITHIN_MS);
      over.abort();
      leave();
      kept.set(url, { card, until: clock.monotonic() + KEPT_MS });
      return card;
    },
  };
}

async function fetchPage(guard: Pick<Guard, 'fetch'>, url: string, signal: AbortSignal): Promise<PageCard | undefined> {
  const options = {
    purpose: 'media' as const,
    headers: HEADERS,
    maxBytes: 64 * 1024 * 1024,
    totalTimeoutMs: WITHIN_MS,
  };
  const answer = await guard.fetch(url, { ...options, signal });
  const type = answer.headers['content-type'];
  if (answer.status !== 200 || !/^\s*(?:text\/html|application\/xhtml\+xml)/i.test(type ?? '')) {
    answer.discard();
    return undefined;
  }
  const bytes = await beginningOf(answer, PAGE_MAX_BYTES);
  return readCard(pageText(bytes, type), answer.url);
}

/** At most so many bytes; the rest is not waited for. */
async function beginningOf(
  { body, discard }: { body: AsyncIterable<Uint8Array>; discard(): void },
  maxBytes: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size < maxBytes && !Buffer.from(piece).includes('</head>')) continue;
    discard();
    break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}

/** A small JPEG, base64; undefined when there is none, or nothing here can make one. */
async function fetchThumbnail(
  guard: Pick<Guard, 'fetch'>,
  url: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sharp = await findSharp();
  if (!sharp) return undefined;
  const options = { purpose: 'media' as const, maxBytes: IMAGE_MAX_BYTES, totalTimeoutMs: WITHIN_MS, signal };
  const answer = await guard.fetch(url, options);
  if (answer.status !== 200) {
    answer.discard();
    return undefined;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const jpeg = await sharp(Buffer.concat(pieces), { limitInputPixels: INPUT_PIXELS_MAX, failOn: 'error' })
    .timeout({ seconds: Math.ceil(WITHIN_MS / 1_000) })
    .autoOrient()
    .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 70 })
    .toBuffer();
  return jpeg.length > THUMBNAIL_MAX_BYTES ? undefined : jpeg.toString('base64');
}
