import type { ClientVersion } from '@ponte/engine';
import { versionOnPage } from '../core/client-version.ts';
import type { Guard } from '../net/guarded-fetch.ts';

export const WHATSAPP_PAGE = 'https://web.whatsapp.com/sw.js';
/**
 * Without these WhatsApp answers 400 (Baileys generics.js fetchLatestWaWebVersion, Baileys issue
 * 1883).
 */
const HEADERS = {
  'sec-fetch-site': 'none',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
};
const MAX_BYTES = 4 * 1024 * 1024;
const WITHIN_MS = 10_000;

/**
 * Reads the version from WhatsApp's page. Rejects with an Error whose message says what is wrong.
 * `onTime` gets the server's time, in Unix milliseconds, to the second.
 */
export async function fetchLiveVersion(
  guard: Pick<Guard, 'fetch'>,
  onTime?: (ms: number) => void,
): Promise<ClientVersion> {
  const options = { purpose: 'media', headers: HEADERS, maxBytes: MAX_BYTES, totalTimeoutMs: WITHIN_MS } as const;
  const { status, headers, body, discard } = await guard.fetch(WHATSAPP_PAGE, options);
  const theirs = Date.parse(headers.date ?? '');
  if (!Number.isNaN(theirs)) onTime?.(theirs);
  if (status !== 200) {
    discard();
    throw new Error(`${WHATSAPP_PAGE} answered HTTP ${status}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return onPage(Buffer.concat(chunks).toString('utf8'), WHATSAPP_PAGE);
}

/** The same page of a simulated network. */
export async function fetchSandboxVersion(baseUrl: string, accountId: string): Promise<ClientVersion> {
  const url = `${baseUrl}/t/${encodeURIComponent(accountId)}/sw.js`;
  const response = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) });
  if (!response.ok) throw new Error(`${url} answered HTTP ${response.status}`);
  return onPage(await response.text(), url);
}

function onPage(page: string, url: string): ClientVersion {
  const version = versionOnPage(page);
  if (!version) throw new Error(`${url} names no client_revision; its form may have changed`);
  return version;
}
