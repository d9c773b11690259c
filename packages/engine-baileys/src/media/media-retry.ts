import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { bytes, child, EngineError, type FileMessage, isGroup, type Jid, type Node } from '@ponte/engine';
import { proto } from '../baileys.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const { ResultType } = proto.MediaRetryNotification;

/**
 * Asks the own phone to upload a file again: `<receipt type="server-error">`, sealed with the
 * file's key so that the phone knows that the asker had the message (whatsmeow mediaretry.go,
 * Baileys encryptMediaRetryRequest).
 */
export function mediaRetryRequest(message: Omit<FileMessage, 'proto'>, mediaKey: Uint8Array, self: Jid): Node {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', retryKey(mediaKey), iv).setAAD(Buffer.from(message.id));
  const plaintext = proto.ServerErrorReceipt.encode({ stanzaId: message.id }).finish();
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  const { id, chat, sender, fromMe } = message;
  const about = { jid: chat, from_me: String(fromMe), ...(isGroup(chat) && !fromMe ? { participant: sender } : {}) };
  return {
    tag: 'receipt',
    attrs: { id, to: self, type: 'server-error' },
    content: [
      {
        tag: 'encrypt',
        attrs: {},
        content: [
          { tag: 'enc_p', attrs: {}, content: sealed },
          { tag: 'enc_iv', attrs: {}, content: iv },
        ],
      },
      { tag: 'rmr', attrs: about },
    ],
  };
}

/**
 * Where the phone has put the file, of its `<notification type="mediaretry">`. Throws `media_gone`
 * when it has it no more, or did not say.
 */
export function readMediaRetry(notification: Node, id: string, mediaKey: Uint8Array): string {
  const box = child(notification, 'encrypt');
  const sealed = bytes(child(box, 'enc_p'));
  const iv = bytes(child(box, 'enc_iv'));
  if (!sealed || iv?.length !== IV_BYTES || sealed.length < TAG_BYTES) {
    throw new EngineError('media_gone', 'the phone has the file no more');
  }
  const decipher = createDecipheriv('aes-256-gcm', retryKey(mediaKey), iv)
    .setAAD(Buffer.from(id))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  let answer: proto.MediaRetryNotification;
  try {
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    answer = proto.MediaRetryNotification.decode(plaintext);
  } catch (cause) {
    throw new EngineError('media_gone', 'the answer about the file cannot be read', { cause });
  }
  if (answer.result === ResultType.SUCCESS && answer.directPath) return answer.directPath;
  throw new EngineError('media_gone', `the phone did not upload the file again (${ResultType[answer.result ?? 0]})`);
}

function retryKey(mediaKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', mediaKey, new Uint8Array(), 'WhatsApp Media Retry Notification', 32));
}
