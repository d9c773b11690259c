import { isNewsletter, type OutboundContext, STATUS_BROADCAST } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { IdempotentRequest } from '../../core/idempotency.ts';
import { newOutboxId } from '../../core/ids.ts';
import type { AcceptedSend } from '../../core/line-commands.ts';
import type { Line } from '../../core/lines.ts';
import { fetchToSpool } from '../../media/intake.ts';
import { type FileWish, readyFile } from '../../media/outbound-file.ts';
import { SpooledFile } from '../../media/spool.ts';
import type { SendCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { acceptSend, ClaimTakenError, requireSendable, type SendInput, type Sent, settleSend } from './sends.ts';

export type { FileWish };
export { SpooledFile };

/** Where a file comes from: an address, or what came in with the request. */
export type FileSource = { url: string } | { file: SpooledFile };

export interface SendFileInput extends Omit<SendInput, 'content'> {
  source: FileSource;
  wish: FileWish;
  context?: OutboundContext;
}

/**
 * Sends a file: fetched, checked and made ready first, durable on the disk before the send is
 * accepted. `media_fetch_failed`, `media_rejected`, and what `messages.send` refuses.
 */
export const sendFile: SendCommand<SendFileInput, Sent> = {
  on: 'send',
  scope: 'messages:send',
  accept: acceptFile,
  settle: settleSend,
  isWaiting: (sent) => sent.state !== 'sent',
};

/**
 * Accepts a file as `messages.send` accepts a text. Nothing stays on the disk when it is refused.
 */
export async function acceptFile(
  context: Context,
  line: Line,
  { source, wish: wished, context: hung, ...send }: SendFileInput,
  once?: IdempotentRequest,
): Promise<AcceptedSend> {
  if (isNewsletter(send.to)) throw noChannels();
  const wish = { ...wished, asStatus: send.to === STATUS_BROADCAST };
  // Before a large file is fetched for nothing.
  await requireSendable(context, line, send.sendAt !== undefined && send.sendAt > context.clock.now());
  const { media } = context;
  const name = 'file' in source ? source.file.name : newOutboxId();
  try {
    const spooled = 'file' in source ? source.file : await fetchSource(context, line, source.url, name, wish);
    const { kind, gif, file } = await readyFile(spooled, wish, media);
    const { caption, viewOnce } = wish;
    const content = { kind, file, caption, viewOnce, gif, context: hung };
    // From here on the send may have been accepted, whatever the answer: then the file must stay.
    spooled.keep();
    return await acceptSend(context, line, { ...send, content }, once, name);
  } catch (error) {
    if (error instanceof AppError || error instanceof ClaimTakenError) await media.spool.remove(name);
    throw error;
  }
}

/** Files of channels are not encrypted, and travel another way. */
const noChannels = () =>
  new AppError('media_rejected', {}, { message: 'Files cannot be sent to channels yet; send a text with a link.' });

function fetchSource(
  { guard, media: { spool, limits } }: Context,
  { accountId }: Line,
  url: string,
  name: string,
  wish: FileWish,
): Promise<SpooledFile> {
  return fetchToSpool(url, { guard, spool, name, accountId, limits, wish });
}
