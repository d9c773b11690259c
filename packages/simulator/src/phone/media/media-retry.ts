import { createCipheriv, createDecipheriv } from 'node:crypto';
import { bytes, child, type Node } from '@ponte/engine';
import { hkdf } from '../../signal/kdf.ts';
import { encoded, MEDIA_RETRY, proto } from '../wa-proto.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A companion's request to upload a file again: `<receipt type="server-error">` (whatsmeow
 * mediaretry.go, Baileys encryptMediaRetryRequest).
 */
export interface MediaRetryRequest {
  messageId: string;
  chatJid: string;
  isFromMe: boolean;
  participant: string | undefined;
}

/** Undefined when the receipt names no message. */
export function readMediaRetry(receipt: Node): MediaRetryRequest | undefined {
  const about = child(receipt, 'rmr');
  const { id } = receipt.attrs;
  if (!about?.attrs.jid || !id) return undefined;
  const { jid: chatJid, from_me: fromMe, participant } = about.attrs;
  return { messageId: id, chatJid, isFromMe: fromMe === 'true', participant };
}

/** True when the request was made with the key of the file. */
export function isAuthentic(receipt: Node, mediaKey: Uint8Array): boolean {
  const id = receipt.attrs.id ?? '';
  const sealed = bytes(child(child(receipt, 'encrypt'), 'enc_p'));
  const iv = bytes(child(child(receipt, 'encrypt'), 'enc_iv'));
  if (!sealed || iv?.length !== IV_BYTES || sealed.length < TAG_BYTES) return false;
  const decipher = createDecipheriv('aes-256-gcm', retryKey(mediaKey), iv)
    .setAAD(Buffer.from(id))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(plaintext).stanzaId === id;
  } catch {
    // A wrong tag or no protobuf: either way it was not sealed with this key.
    return false;
  }
}

/**
 * `<notification type="mediaretry">`: where the file is now, sealed with its key; without a path,
 * that this phone has it no more.
 */
export function mediaRetryAnswer(
  request: MediaRetryRequest,
  to: string,
  answer: { mediaKey: Uint8Array; directPath: string | undefined } | undefined,
  random: (length: number) => Uint8Array,
): Node {
  const { messageId, chatJid, isFromMe, participant } = request;
  const rmr: Record<string, string> = { jid: chatJid, from_me: String(isFromMe) };
  if (participant !== undefined) rmr.participant = participant;
  const content: Node[] = [{ tag: 'rmr', attrs: rmr }];
  if (answer) {
    const { mediaKey, directPath } = answer;
    const result = directPath === undefined ? MEDIA_RETRY.notFound : MEDIA_RETRY.success;
    const plaintext = encoded(proto.MediaRetryNotification, { stanzaId: messageId, directPath, result });
    const iv = random(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', retryKey(mediaKey), iv).setAAD(Buffer.from(messageId));
    const sealed = Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
    content.push({
      tag: 'encrypt',
      attrs: {},
      content: [
        { tag: 'enc_p', attrs: {}, content: sealed },
        { tag: 'enc_iv', attrs: {}, content: iv },
      ],
    });
  } else {
    content.push({ tag: 'error', attrs: { code: String(MEDIA_RETRY.notFound) } });
  }
  return { tag: 'notification', attrs: { id: messageId, to, type: 'mediaretry' }, content };
}

function retryKey(mediaKey: Uint8Array): Uint8Array {
  return hkdf(mediaKey, 'WhatsApp Media Retry Notification', 32);
}
