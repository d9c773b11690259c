import { type Output, print, UsageError } from './output.ts';
import { ofLine, type ServerOptions, withServer } from './server-api.ts';

export interface SendOptions extends ServerOptions {
  wait?: string;
  idempotencyKey?: string;
  json?: boolean;
}

interface Sent {
  message_id: string;
  to: string;
  status: string;
}

/**
 * Sends one text. The answer is WhatsApp's, or `queued` when its turn has not come within `--wait`
 * seconds.
 */
export async function sendText(
  { lineId, to, text }: { lineId: string; to: string; text: string },
  options: SendOptions,
  out: Output,
): Promise<void> {
  const wait = options.wait ?? '30';
  if (!/^\d{1,2}$/.test(wait) || Number(wait) > 60) throw new UsageError('--wait takes whole seconds from 0 to 60');
  const body = { line_id: lineId, to, message: text };
  const headers: Record<string, string> =
    options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
  const sent = await withServer(options, ofLine(lineId), (api) =>
    api.call<Sent>('POST', `/messages/send?wait=${wait}`, body, headers),
  );
  print(out, options.json, sent, () => `${sent.message_id} to ${sent.to} is ${sent.status}`);
}
