import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/blob-store.ts';

/** What is used of s3rver, which brings no types. */
interface Server {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}
type ServerClass = new (options: Record<string, unknown>) => Server;

/**
 * Storage that speaks S3, by s3rver from npm. It shows requests, ranges and uploads in parts. It
 * does not show: signatures (it looks at the access key only), lists of more than a page (its token
 * needs a function that Node has no more), the end of an upload that was given up, rules of a
 * bucket, TLS.
 */
export async function startS3(): Promise<{
  settings: Extract<BlobSettings, { kind: 's3' }>;
  folder: string;
  close(): Promise<void>;
}> {
  const S3rver = createRequire(import.meta.url)('s3rver') as ServerClass;
  const folder = mkdtempSync(join(tmpdir(), 'ponte-s3-'));
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: folder },
    configureBuckets: [{ name: 'files' }],
  });
  const { port } = await server.run();
  return {
    folder,
    settings: {
      kind: 's3',
      endpoint: `http://127.0.0.1:${port}/files`,
      region: 'us-east-1',
      prefix: 'ponte/',
      // The only ones that it knows.
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
