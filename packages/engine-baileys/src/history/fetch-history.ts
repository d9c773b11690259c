import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { EngineError } from '@ponte/engine';
import { type Dispatcher, request } from 'undici';
import { hkdf, type proto } from '../baileys.ts';

/** Where files lie whose message names no host (Baileys DEF_MEDIA_HOST, whatsmeow download.go). */
const HOST = 'mmg.whatsapp.net';
const ORIGIN = 'https://web.whatsapp.com';
/** Parts are a few megabytes; they are compressed. One at a time is in memory. */
const FILE_MAX_BYTES = 64 * 1024 * 1024;
const FETCH_MS = 120_000;
const KEY_INFO = 'WhatsApp History Keys';
const MAC_BYTES = 10;

/**
 * The compressed bytes of a part of history: those inside its message, or a file of WhatsApp's,
 * whose hashes and signature are checked before anything of it is used (whatsmeow download.go).
 * Rejects with `timeout` when trying again may help, `rejected` when it does not.
 */
export async function fetchHistory(
  reference: proto.Message.IHistorySyncNotification,
  network: Dispatcher,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const inline = reference.initialHistBootstrapInlinePayload;
  if (inline?.length) return inline;
  const { directPath, mediaKey, fileEncSha256 } = reference;
  if (!directPath || !mediaKey?.length) throw new EngineError('rejected', 'the offer names no file of history');
  const url = new URL(directPath, `https://${HOST}`);
  // A direct path that is an address of its own (`//host/…`) must not lead elsewhere.
  if (url.host !== HOST) throw new EngineError('rejected', 'the place of the file of history is none');
  const sealed = await get(url, network, AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]));
  if (fileEncSha256?.length && !isSame(createHash('sha256').update(sealed).digest(), fileEncSha256)) {
    throw new EngineError('timeout', 'the file of history is not the one that was offered');
  }
  return open(sealed, mediaKey);
}

async function get(url: URL, network: Dispatcher, signal: AbortSignal): Promise<Buffer> {
  try {
    const { statusCode, body } = await request(url, { dispatcher: network, headers: { origin: ORIGIN }, signal });
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      if (statusCode !== 200) {
        const code = statusCode >= 500 ? 'timeout' : 'rejected';
        throw new EngineError(code, `the media host answered HTTP ${statusCode}`, { serverCode: statusCode });
      }
      for await (const piece of body as AsyncIterable<Uint8Array>) {
        size += piece.length;
        if (size > FILE_MAX_BYTES) throw new EngineError('rejected', 'the file of history is too large');
        pieces.push(piece);
      }
    } finally {
      body.on('error', () => {}).destroy();
    }
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('timeout', 'the file of history did not arrive', { cause: error });
  }
}

/**
 * Checks the signature and decrypts: HKDF of the key gives IV, cipher key and MAC key (whatsmeow
 * download.go getMediaKeys).
 */
function open(sealed: Buffer, mediaKey: Uint8Array): Uint8Array {
  const keys = hkdf(mediaKey, 112, { info: KEY_INFO });
  const [iv, cipherKey, macKey] = [keys.subarray(0, 16), keys.subarray(16, 48), keys.subarray(48, 80)];
  const ciphertext = sealed.subarray(0, -MAC_BYTES);
  const mac = createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES);
  if (!isSame(mac, sealed.subarray(-MAC_BYTES))) {
    throw new EngineError('timeout', 'the file of history is damaged');
  }
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
