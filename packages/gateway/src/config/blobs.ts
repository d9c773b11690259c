import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BlobSettings } from '../blobs/blob-store.ts';
import { ConfigError, type Reader } from './reader.ts';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)?$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const TAKES = 's3://bucket, s3://bucket/prefix, file:///shared/folder, or nothing for DATA_DIR/media';
/** Variables that mean something together with `s3://` alone. */
const OF_S3 = ['BLOB_ENDPOINT', 'BLOB_REGION', 'BLOB_ACCESS_KEY_ID', 'BLOB_SECRET_ACCESS_KEY'];

/** Where files of messages lie. Throws ConfigError. */
export function blobsOf(read: Reader, dataDir: string, isOfFleet: boolean): BlobSettings {
  const value = read.text('BLOB_URL');
  if (value?.startsWith('s3://')) return s3Of(read, value.slice('s3://'.length));
  const stray = OF_S3.find((name) => read.text(name) !== undefined);
  if (stray !== undefined)
    throw new ConfigError(`${stray} is set, but BLOB_URL names no s3:// storage; set both, or neither`);
  if (value === undefined && isOfFleet) {
    throw new ConfigError(
      'NATS_URL is set without BLOB_URL, but several nodes need the same files: set BLOB_URL to storage that speaks S3 (s3://bucket) or to a folder that every node has (file:///folder)',
    );
  }
  if (value === undefined) return { kind: 'folder', folder: resolve(dataDir, 'media'), isShared: false };
  if (!value.startsWith('file:///') || !URL.canParse(value)) throw read.wrong('BLOB_URL', TAKES);
  const folder = fileURLToPath(value);
  if (!isAbsolute(folder) || folder === '/') throw read.wrong('BLOB_URL', TAKES);
  return { kind: 'folder', folder, isShared: true };
}

function s3Of(read: Reader, place: string): BlobSettings {
  const slash = place.indexOf('/');
  const bucket = slash < 0 ? place : place.slice(0, slash);
  const prefix = slash < 0 ? '' : place.slice(slash + 1).replace(/\/+$/, '');
  if (!BUCKET.test(bucket) || !PREFIX.test(prefix)) throw read.wrong('BLOB_URL', TAKES);
  const region = read.text('BLOB_REGION') ?? 'us-east-1';
  if (!REGION.test(region)) throw read.wrong('BLOB_REGION', 'the name of a region, such as eu-central-1');
  const accessKeyId = read.text('BLOB_ACCESS_KEY_ID');
  const secretAccessKey = read.text('BLOB_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('BLOB_URL names s3:// storage: set BLOB_ACCESS_KEY_ID and BLOB_SECRET_ACCESS_KEY too');
  }
  return {
    kind: 's3',
    endpoint: endpointOf(read, bucket, region),
    region,
    prefix: prefix === '' ? '' : `${prefix}/`,
    accessKeyId,
    secretAccessKey,
  };
}

/** Amazon's own by name of the bucket; others by path, which every one of them takes. */
function endpointOf(read: Reader, bucket: string, region: string): string {
  const value = read.text('BLOB_ENDPOINT');
  if (value === undefined) return `https://${bucket}.s3.${region}.amazonaws.com`;
  const isOne = /^https?:\/\/[^/?#@]+\/*$/.test(value) && URL.canParse(value);
  if (!isOne) throw read.wrong('BLOB_ENDPOINT', 'an address such as https://storage.example.com or http://minio:9000');
  return `${value.replace(/\/+$/, '')}/${bucket}`;
}
