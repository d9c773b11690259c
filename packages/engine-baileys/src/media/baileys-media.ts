import { randomBytes } from 'node:crypto';
import {
  EngineError,
  type EngineFiles,
  type FetchedFile,
  type FileKind,
  type FileMessage,
  type MediaOperations,
  type OutboundFile,
  type Self,
} from '@ponte/engine';
import type { Dispatcher } from 'undici';
import { proto } from '../baileys.ts';
import type { Connection } from '../connection.ts';
import { unwrapMessage } from '../inbound/message-content.ts';
import { downloadFile } from './download-file.ts';
import { type MeasuredFile, measureFile } from './encrypt-file.ts';
import { MediaConn } from './media-conn.ts';
import { filePartOf, MEDIA_KEY_BYTES, MEDIA_TYPES, mediaKeys } from './media-keys.ts';
import { mediaRetryRequest, readMediaRetry } from './media-retry.ts';
import { type UploadedPlace, uploadFile } from './upload-file.ts';

/**
 * How long the phone may take to upload a file again. It answers at once when online; whether it is
 * online is unknown.
 */
const RETRY_MS = 30_000;
/** A plain name: nothing that leads elsewhere. */
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;

export interface MediaParts {
  network: Dispatcher;
  files: EngineFiles | undefined;
  nowMs(): number;
  self(): Self | undefined;
  /** The open connection; throws `not_connected`. */
  connection(): Connection;
}

/** A file as its message names it. */
export type UploadedFile = UploadedPlace & MeasuredFile & { mediaKey: Uint8Array; uploadedAtSeconds: number };

/**
 * Files both ways. Baileys' own way is not used: it checks neither MAC nor hash, and reads whole
 * files into memory (messages-media.js).
 */
export class BaileysMedia implements MediaOperations {
  readonly #parts: MediaParts;
  readonly #conn: MediaConn;

  constructor(parts: MediaParts) {
    this.#parts = parts;
    this.#conn = new MediaConn((node) => parts.connection().query(node), parts.nowMs);
  }

  /** Uploads a file under a key of its own. Rejects as `prepare` says. */
  async upload(kind: FileKind, file: OutboundFile): Promise<UploadedFile> {
    const connection = this.#parts.connection();
    const { files, network, nowMs } = this.#parts;
    if (!files || !FILE_NAME.test(file.name)) throw missing();
    const read = async () => {
      const pieces = await files.read(file.name);
      if (pieces) return pieces;
      throw missing();
    };
    const mediaKey = randomBytes(MEDIA_KEY_BYTES);
    const type = MEDIA_TYPES[kind];
    const keys = mediaKeys(mediaKey, type.use);
    const measured = await measureFile(await read(), keys);
    const place = await connection.whileConnected(uploadFile({ read, keys, measured, type }, this.#conn, network));
    return { ...place, ...measured, mediaKey, uploadedAtSeconds: Math.floor(nowMs() / 1_000) };
  }

  async fetch({ message, name }: { message: FileMessage; name: string }): Promise<FetchedFile> {
    const outer = proto.Message.decode(message.proto);
    const found = filePartOf(unwrapMessage(outer).message);
    if (!found) throw new EngineError('unknown_message', 'the message has no file');
    const { kind, part } = found;
    const { files, network } = this.#parts;
    if (!files) throw new EngineError('wrong_state', 'this line has no place for files');
    const write = (pieces: AsyncIterable<Uint8Array>) => files.write(name, pieces);
    const told = ({ sizeBytes, sha256 }: { sizeBytes: number; sha256: Uint8Array }): FetchedFile => ({
      sizeBytes,
      sha256: Buffer.from(sha256).toString('base64'),
    });
    try {
      return told(await downloadFile({ kind, part, write }, network));
    } catch (error) {
      const isLost = error instanceof EngineError && (error.code === 'media_gone' || error.code === 'media_damaged');
      if (!isLost || part.mediaKey?.length !== MEDIA_KEY_BYTES) throw error;
      part.directPath = await this.#askPhone(message, part.mediaKey, error);
      part.url = null;
      const again = told(await downloadFile({ kind, part, write }, network));
      return { ...again, proto: proto.Message.encode(outer).finish() };
    }
  }

  /**
   * The new place of a file. Rejects with the download's own error when the phone does not answer.
   */
  async #askPhone(message: FileMessage, mediaKey: Uint8Array, failure: EngineError): Promise<string> {
    const self = this.#parts.self();
    if (!self) throw failure;
    const request = mediaRetryRequest(message, mediaKey, self.pn);
    const answer = await this.#parts.connection().mediaRetry(request, RETRY_MS);
    if (!answer) throw failure;
    return readMediaRetry(answer, message.id, mediaKey);
  }
}

const missing = () => new EngineError('media_gone', 'the file to be sent is not there');
