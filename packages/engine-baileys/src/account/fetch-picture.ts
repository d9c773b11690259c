import { get } from 'node:https';
import { EngineError } from '@ponte/engine';

const FETCH_MS = 15_000;
/** WhatsApp keeps pictures of 640 × 640 pixels: some 100 KB. */
const PICTURE_MAX_BYTES = 5 * 1024 * 1024;

/** Where WhatsApp keeps pictures. */
const HOST = /(^|\.)whatsapp\.net$/;

/**
 * Fetches a picture from WhatsApp's media host. `ca` is the authority of another network's host; undefined = WhatsApp's own hosts, and no
 * others. Rejects with `timeout` or `rejected`.
 */
export function fetchPicture(url: string, ca: string | undefined): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const refuse = (detail: string, serverCode?: number) =>
      reject(
        new EngineError('rejected', `the picture could not be fetched: ${detail}`, {
          ...(serverCode === undefined ? {} : { serverCode }),
        }),
      );
    const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
    if (protocol !== 'https:' || (ca === undefined && !HOST.test(hostname)))
      return refuse('its address is no media host');
    const signal = AbortSignal.timeout(FETCH_MS);
    const request = get(url, { ...(ca === undefined ? {} : { ca }), signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', onError);
      if (response.statusCode !== 200) {
        response.destroy();
        return refuse(`HTTP ${response.statusCode}`, response.statusCode);
      }
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > PICTURE_MAX_BYTES) request.destroy(new Error('it is too large'));
      });
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
    request.on('error', onError);
    function onError(cause: Error): void {
      if (signal.aborted) reject(new EngineError('timeout', 'the picture did not arrive in time', { cause }));
      else refuse(cause.message);
    }
  });
}
