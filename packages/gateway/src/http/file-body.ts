import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { FileIntake } from '../commands/sends/receive-file.ts';
import type { SpooledFile } from '../commands/sends/send-file.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { discardBody } from './json-body.ts';
import { readJsonWithFile } from './json-with-file.ts';
import { boundaryOf, readMultipart } from './multipart.ts';
import { isTooSlow } from './next-piece.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Files that came in with the request. */
    files?: SpooledFile[];
  }
}

/** Reads the body of a row that takes a file: a form, or JSON with the file as base64. */
export async function readFileBody(
  request: FastifyRequest,
  payload: IncomingMessage,
  { intake, maxJsonBytes, clock }: { intake: FileIntake; maxJsonBytes: number; clock: Clock },
): Promise<unknown> {
  const type = request.headers['content-type'];
  const { caller } = request;
  // Rows that take files take a key, which was looked at before the body.
  if (!caller) throw new AppError('unauthorized');
  const receive = intake.receive(caller.accountId);
  const onFile = (file: SpooledFile) => {
    request.files = [...(request.files ?? []), file];
  };
  try {
    if (!type?.toLowerCase().startsWith('multipart/form-data')) {
      return await readJsonWithFile(payload, { maxBytes: maxJsonBytes, clock }, receive, onFile);
    }
    const boundary = boundaryOf(type);
    if (boundary === undefined) throw new AppError('unsupported_media_type');
    return await readMultipart(payload, { boundary, clock }, receive, onFile);
  } catch (error) {
    // The client is still writing: it sees the answer only once its body has been read.
    if (!(error instanceof AppError && isTooSlow(error))) await discardBody(payload, clock);
    throw error;
  }
}

/** Removes what came in with a request and no accepted send needs. */
export async function discardFiles(request: FastifyRequest, intake: FileIntake): Promise<void> {
  for (const file of request.files ?? []) await intake.discard(file);
}
