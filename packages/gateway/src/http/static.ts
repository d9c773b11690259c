import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isConsolePage, takesHtml } from './console-pages.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
};

/** Nothing from elsewhere, nothing inline, no frames, no plug-ins. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const INDEX = `${sep}index.html`;
const MANUAL = `${sep}docs`;

/** Ready-made encodings of a file, best first; the build writes them beside it. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/**
 * Serves the files of one folder: the console's own pages are its index.html (it routes by
 * itself), for those who take HTML; the manual's are files below `docs`. Resolves false when the
 * request is not for a page or a file of the folder. Never leaves the folder; only known file
 * types.
 */
export function createStaticFiles(folder: string): (request: FastifyRequest, reply: FastifyReply) => Promise<boolean> {
  return async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const path = filePath(request.url);
    if (path === undefined) return false;
    if (path === INDEX && !takesHtml(request.headers.accept)) return false;
    const ending = extname(path);
    const contentType = TYPES[ending];
    if (contentType === undefined) return false;
    const found = await readEncoded(join(folder, path), request.headers['accept-encoding'] ?? '');
    if (!found) return false;
    const { data, encoding } = found;
    const etag = `"${createHash('sha256').update(data).digest('base64url').slice(0, 22)}"`;
    reply.headers({
      etag,
      vary: 'Accept-Encoding',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      'content-security-policy': CSP,
      'referrer-policy': 'no-referrer',
      // Names of built assets carry a hash of their content; pages do not.
      'cache-control': path.startsWith(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    if (request.headers['if-none-match'] === etag) reply.code(304).send();
    else reply.code(200).type(contentType).send(data);
    return true;
  };
}

/** The file an address means, inside the folder, or undefined. */
function filePath(url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
  } catch {
    return undefined; // Not validly encoded: no file of ours has that name.
  }
  if (path.includes('\u0000') || path.includes('\\')) return undefined;
  const clean = normalize(path);
  if (!clean.startsWith(sep) || clean.split(sep).includes('..')) return undefined;
  if (isConsolePage(path)) return INDEX;
  if (extname(clean) !== '') return clean;
  // Pages of the manual, built beside the console.
  if (clean === MANUAL) return `${MANUAL}${INDEX}`;
  return clean.startsWith(MANUAL + sep) ? `${clean}.html` : undefined;
}

/** The file in the best encoding that the reader takes and the build made. */
async function readEncoded(path: string, accepted: string): Promise<{ data: Buffer; encoding?: string } | undefined> {
  for (const [encoding, ending] of ENCODINGS) {
    if (!new RegExp(`\\b${encoding}\\b(?!\\s*;\\s*q=0(?:\\.0*)?(?:,|$|\\s))`).test(accepted)) continue;
    const data = await read(path + ending);
    if (data) return { data, encoding };
  }
  const data = await read(path);
  return data && { data };
}

/** The file's bytes; undefined when there is no such file. */
async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}
