import { EngineError } from '@ponte/engine';
import { type Dispatcher, request } from 'undici';

const FETCH_MS = 15_000;
/** WhatsApp keeps pictures of 640 × 640 pixels: some 100 KB. */
const PICTURE_MAX_BYTES = 5 * 1024 * 1024;

/**
 * Fetches a picture over the line's media network, which reaches media hosts only. Rejects with
 * `timeout` or `rejected`.
 */
export async function fetchPicture(url: string, network: Dispatcher): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(FETCH_MS);
  try {
    const { statusCode, body } = await request(url, { dispatcher: network, signal });
    // A response abandoned halfway also emits 'error'; without a listener that would be uncaught.
    body.on('error', () => {});
    if (statusCode !== 200) {
      body.destroy();
      const message = `the picture could not be fetched: HTTP ${statusCode}`;
      throw new EngineError('rejected', message, { serverCode: statusCode });
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > PICTURE_MAX_BYTES)
        throw new EngineError('rejected', 'the picture could not be fetched: it is too large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    if (signal.aborted) throw new EngineError('timeout', 'the picture did not arrive in time', { cause });
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('rejected', `the picture could not be fetched: ${detail}`, { cause });
  }
}
