import { STATUS_BROADCAST } from '@ponte/engine';
import type { IdempotentRequest } from '../../core/idempotency.ts';
import type { AcceptedSend } from '../../core/line-commands.ts';
import type { Line } from '../../core/lines.ts';
import type { SendCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { acceptFile, type FileSource, type FileWish } from './send-file.ts';
import { acceptSend, type SendInput, type Sent, settleSend } from './sends.ts';

/** A text, or a picture or video. */
export type StatusContent = { text: string } | { source: FileSource; wish: FileWish };

export type SendStatusInput = Omit<SendInput, 'to' | 'content' | 'archivePolicy'> & { content: StatusContent };

/**
 * Publishes a status to those whom the account's privacy settings name. `media_rejected` for what
 * is neither picture nor video.
 */
export const sendStatus: SendCommand<SendStatusInput, Sent> = {
  on: 'send',
  scope: 'messages:send',
  accept: acceptStatus,
  settle: settleSend,
  isWaiting: (sent) => sent.state !== 'sent',
};

async function acceptStatus(
  context: Context,
  line: Line,
  { content, ...send }: SendStatusInput,
  once?: IdempotentRequest,
): Promise<AcceptedSend> {
  const to = STATUS_BROADCAST;
  if (!('text' in content)) return acceptFile(context, line, { ...send, to, ...content }, once);
  return acceptSend(context, line, { ...send, to, content: { kind: 'text', body: content.text } }, once);
}
