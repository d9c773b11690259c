import type { LinkPreview } from '@ponte/engine';

/** What a page says of itself for cards (Open Graph, else its title). */
export interface PageCard extends Omit<LinkPreview, 'url'> {
  title: string;
  /** Where its picture is. */
  image?: string;
}

const TITLE_MAX = 300;
const DESCRIPTION_MAX = 1_000;
const META = /<meta\s[^>]*>/gi;
const ATTRIBUTE = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Reads the head of a page. Undefined when it has no title: phones show no card without one. */
export function readCard(html: string, url: string): PageCard | undefined {
  const metas = new Map<string, string>();
  for (const [tag] of html.matchAll(META)) {
    const attributes = new Map(
      [...tag.matchAll(ATTRIBUTE)].map((found) => [found[1]?.toLowerCase(), writtenIn(found)]),
    );
    const name = (attributes.get('property') ?? attributes.get('name'))?.toLowerCase();
    const content = attributes.get('content');
    if (name !== undefined && content !== undefined && !metas.has(name)) metas.set(name, content);
  }
  const said = (...names: string[]) => names.map((name) => plain(metas.get(name))).find((text) => text !== '');
  const title = said('og:title', 'twitter:title') ?? plain(/<title[^>]*>([^<]*)/i.exec(html)?.[1]);
  if (title === '') return undefined;
  const description = said('og:description', 'twitter:description', 'description');
  const image = said('og:image:secure_url', 'og:image', 'og:image:url', 'twitter:image');
  return {
    title: cut(title, TITLE_MAX),
    ...(description === undefined ? {} : { description: cut(description, DESCRIPTION_MAX) }),
    ...(image !== undefined && URL.canParse(image, url) ? { image: new URL(image, url).href } : {}),
  };
}

const writtenIn = ([, , double, single, bare]: RegExpExecArray): string => double ?? single ?? bare ?? '';

/** Text as a reader sees it: references resolved, one space where there is any, no controls. */
function plain(text: string | undefined): string {
  return (text ?? '')
    .replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,8});/gi, (whole, name: string) => reference(name) ?? whole)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Surrogate}]/gu, '')
    .trim();
}

function reference(name: string): string | undefined {
  if (!name.startsWith('#')) return NAMED[name.toLowerCase()];
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

const cut = (text: string, max: number): string => text.slice(0, max).replace(/\p{Surrogate}$/u, '');

/** The first link in a text, without the punctuation of the sentence around it. */
export function linkIn(text: string): string | undefined {
  for (const [found] of text.matchAll(/https?:\/\/[^\s<>"«»“”]+/giu)) {
    let link = found.replace(/[.,;:!?'’…]+$/u, '');
    if (link.endsWith(')') && !link.includes('(')) link = link.slice(0, -1).replace(/[.,;:!?]+$/, '');
    if (URL.canParse(link)) return link;
  }
  return undefined;
}

/** Text of a page in the encoding it names; UTF-8 when it names none that is known. */
export function pageText(bytes: Uint8Array, contentType: string | undefined): string {
  const start = Buffer.from(bytes.subarray(0, 2_048)).toString('latin1');
  const label = /charset=["']?([\w-]+)/i.exec(contentType ?? '')?.[1] ?? /charset=["']?([\w-]+)/i.exec(start)?.[1];
  try {
    return new TextDecoder(label ?? 'utf-8').decode(bytes);
  } catch {
    // An unknown encoding.
    return new TextDecoder().decode(bytes);
  }
}
