import type { IncomingMessage } from 'node:http';
import { AppError } from '../core/app-error.ts';

const BEARER = /^Bearer +(\S+) *$/i;

/**
 * The key of `Authorization: Bearer …` or `X-Bridge-Key`. Two that differ are `unauthorized`: it is
 * unknown which of them a proxy, a log or a check before us used. Read from the headers as they
 * came, because Node keeps the first of two Authorization lines.
 */
export function presentedKey({ rawHeaders }: IncomingMessage): string | undefined {
  const found = new Set<string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase();
    const value = rawHeaders[at + 1]?.trim() ?? '';
    const key = name === 'authorization' ? BEARER.exec(value)?.[1] : name === 'x-bridge-key' ? value : undefined;
    if (key !== undefined && key !== '') found.add(key);
  }
  if (found.size < 2) return found.values().next().value;
  const message = 'Two different API keys came with this request. Send one, as Authorization or as X-Bridge-Key.';
  throw new AppError('unauthorized', {}, { message });
}

/** The value of `Authorization: Bearer …`; undefined without one. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? '')?.[1];
