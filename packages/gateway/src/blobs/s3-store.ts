import { S3mini } from 's3mini';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Clock } from '../core/clock.ts';
import { backoffMs } from '../core/retry.ts';
import { BlobError, type BlobSettings, type BlobStore, HEAD_BYTES, requireKey } from './blob-store.ts';

type S3Settings = Extract<BlobSettings, { kind: 's3' }>;

/** S3 takes no smaller parts but the last, and 10 000 of them: files of 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
const CONNECT_MS = 10_000;
/** Until the first byte of an answer, and between two bytes of it. */
const SILENCE_MS = 30_000;
/** For a part, both ways: 8 MiB at 64 KiB a second. */
const PART_MS = 150_000;
const TRIES = 4;
const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 5_000;
const LIST_PAGE = 1_000;
/** Answers that mean "ask again". */
const BUSY = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Files in storage that speaks S3, path style. A file is a single request up to 8 MiB, and an
 * upload in parts beyond: it appears when its last part is accepted, so that a writer that dies
 * leaves nothing that can be read. The parts it leaves are removed by the bucket's own rule
 * (AbortIncompleteMultipartUpload, docs/fleet.md). One part a writer is in memory.
 */
export function openS3Store(settings: S3Settings, clock: Clock): BlobStore {
  const { endpoint, region, prefix, accessKeyId, secretAccessKey } = settings;
  const agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    connections: 64,
  });
  const s3 = new S3mini({
    ...{ endpoint, region, accessKeyId, secretAccessKey },
    fetch: bounded(agent),
    minPartSize: PART_BYTES,
  });
  const requests: Requests = { s3, tried: (work) => tried(clock, work) };
  const place = (key: string) => {
    requireKey(key);
    return prefix + key;
  };
  const found = (key: string) => unlessMissing(requests.tried(() => headOf(s3, key)));
  return {
    name: `${endpoint}/${prefix}`,
    put: async (key, pieces) => put(requests, place(key), pieces),
    async open(key) {
      const at = place(key);
      const answer = await found(at);
      if (!answer) return undefined;
      const { sizeBytes, head } = answer;
      return { sizeBytes, head, read: (start, end) => read(requests, at, start, end), close: async () => {} };
    },
    async stat(key) {
      const answer = await found(place(key));
      return answer && { sizeBytes: answer.sizeBytes, modifiedMs: answer.modifiedMs };
    },
    async remove(key) {
      const at = place(key);
      await unlessMissing(requests.tried(() => s3.deleteObject(at)));
    },
    async *list(wanted) {
      let next: string | undefined;
      do {
        const page = await requests.tried(() => s3.listObjectsPaged('/', prefix + wanted, LIST_PAGE, next));
        if (!page) throw new BlobError('the bucket is not there');
        for (const { Key, Size, LastModified } of page.objects ?? []) {
          yield {
            key: Key.slice(prefix.length),
            sizeBytes: Number(Size),
            modifiedMs: new Date(LastModified).getTime(),
          };
        }
        next = page.nextContinuationToken;
      } while (next !== undefined);
    },
    tidy: async () => {},
    freeBytes: async () => undefined,
    pathOf: () => undefined,
    close: () => agent.close(),
  };
}

/** The client, and how often a request of it is sent. */
interface Requests {
  s3: S3mini;
  tried<T>(work: () => Promise<T>): Promise<T>;
}

/** Requests that may be sent again: a few times, with growing pauses. */
async function tried<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const status = statusOf(error);
      const isOver = status !== undefined && !BUSY.has(status);
      if (isOver || tries >= TRIES) throw told(error);
      await clock.sleep(backoffMs(tries, clock.random(), RETRY_BASE_MS, RETRY_CAP_MS));
    }
  }
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BlobError && statusOf(error.cause) === 404) return undefined;
    throw error;
  }
}

async function put(requests: Requests, key: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const parts = inParts(pieces);
  try {
    const first = (await parts.next()).value ?? Buffer.alloc(0);
    if (first.length < PART_BYTES) await requests.tried(() => requests.s3.putObject(key, first));
    else await putParts(requests, key, parts, first);
  } finally {
    await parts.return(undefined);
  }
}

async function putParts(
  { s3, tried }: Requests,
  key: string,
  parts: AsyncGenerator<Buffer, undefined>,
  first: Buffer,
): Promise<void> {
  const uploadId = await tried(() => s3.getMultipartUploadId(key));
  try {
    const done: { partNumber: number; etag: string }[] = [];
    for (let part: Buffer | undefined = first; part; part = (await parts.next()).value) {
      const bytes = part;
      done.push(await tried(() => s3.uploadPart(key, uploadId, bytes, done.length + 1)));
    }
    const { etag } = await tried(() => s3.completeMultipartUpload(key, uploadId, done));
    // A refusal may come under HTTP 200 here.
    if (!etag) throw new BlobError('the storage did not put the parts of a file together');
  } catch (error) {
    // What cannot be taken back now, the bucket's rule takes back.
    await s3.abortMultipartUpload(key, uploadId).catch(() => {});
    throw error;
  }
}

async function* read({ s3, tried }: Requests, key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (end < start) return;
  const { body, status } = await tried(() => s3.getObjectRaw(key, false, start, end + 1));
  // A storage that knows no ranges sends the whole, from its beginning.
  if (!body || !(status === 206 || (status === 200 && start === 0))) {
    throw new BlobError(`the storage answered HTTP ${status} when a range was asked for`);
  }
  let left = end - start + 1;
  try {
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      yield piece.length > left ? piece.subarray(0, left) : piece;
      left -= Math.min(left, piece.length);
      if (left === 0) return;
    }
  } catch (cause) {
    throw told(cause);
  }
  throw new BlobError('the storage sent fewer bytes than it was asked for');
}

/** Size, time and first bytes in one request. */
async function headOf(s3: S3mini, key: string): Promise<{ sizeBytes: number; modifiedMs: number; head: Buffer }> {
  try {
    const answer = await s3.getObjectRaw(key, false, 0, HEAD_BYTES);
    const head = Buffer.from(await answer.arrayBuffer());
    const total = /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1];
    const modifiedMs = Date.parse(answer.headers.get('last-modified') ?? '');
    return { sizeBytes: total === undefined ? head.length : Number(total), modifiedMs, head };
  } catch (error) {
    if (statusOf(error) === 404) throw error;
    // Of a file of no bytes no range can be had: 416 as a rule, and some storages stumble.
    const [found] = (await s3.listObjectsPaged('/', key, 1))?.objects ?? [];
    if (found?.Key !== key || Number(found.Size) !== 0) throw error;
    return { sizeBytes: 0, modifiedMs: new Date(found.LastModified).getTime(), head: Buffer.alloc(0) };
  }
}

/** The pieces, put together to parts of one size; the last is shorter. */
async function* inParts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let kept: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    for (let rest = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, PART_BYTES - size);
      kept.push(taken);
      size += taken.length;
      rest = rest.subarray(taken.length);
      if (size < PART_BYTES) continue;
      yield Buffer.concat(kept);
      kept = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(kept);
  return undefined;
}

/** No redirects, no waiting without end. */
const bounded = (agent: Agent): typeof fetch =>
  (async (input: string, init: RequestInit = {}) =>
    undiciFetch(input, {
      ...(init as object),
      dispatcher: agent,
      redirect: 'error',
      // What streams is bounded by its silence.
      ...(init.method === 'GET' ? {} : { signal: AbortSignal.timeout(PART_MS) }),
    })) as unknown as typeof fetch;

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;

/** The library's message names status and reason; answers of the storage stay in the cause. */
const told = (cause: unknown): BlobError => {
  if (cause instanceof BlobError) return cause;
  const status = statusOf(cause);
  const how = status === undefined ? 'did not answer as it should' : `answered HTTP ${status}`;
  return new BlobError(`the storage for files ${how}`, { cause, isFull: status === 507 });
};
