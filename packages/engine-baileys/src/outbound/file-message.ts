import { EngineError, type FileKind, type OutboundMessage } from '@ponte/engine';
import type { proto } from '../baileys.ts';
import type { UploadedFile } from '../media/baileys-media.ts';

type FileContent = Extract<OutboundMessage, { kind: FileKind }>;

/** The name of a document without a given name. */
const UNNAMED = 'file';

/**
 * The message of an uploaded file (fields: whatsmeow upload.go, Baileys messages.js
 * prepareWAMessageMedia).
 */
export function fileMessage(
  content: FileContent,
  uploaded: UploadedFile,
  hung: { contextInfo?: proto.IContextInfo },
): proto.IMessage {
  const { kind, caption, viewOnce } = content;
  const message = partOf(content, {
    url: uploaded.url,
    directPath: uploaded.directPath,
    mediaKey: uploaded.mediaKey,
    mediaKeyTimestamp: uploaded.uploadedAtSeconds,
    fileSha256: uploaded.fileSha256,
    fileEncSha256: uploaded.fileEncSha256,
    fileLength: uploaded.sizeBytes,
    mimetype: content.file.mimeType,
    ...(caption === undefined ? {} : { caption }),
    ...(viewOnce ? { viewOnce } : {}),
    ...hung,
  });
  if (viewOnce) return viewedOnce(kind, message);
  // Phones send a document with a caption inside this wrapper (Baileys normalizeMessageContent
  // unwraps it).
  return kind === 'document' && caption !== undefined ? { documentWithCaptionMessage: { message } } : message;
}

function partOf({ kind, file, gif }: FileContent, fields: proto.Message.IImageMessage): proto.IMessage {
  const { width, height, durationSeconds: seconds, fileName } = file;
  const size = width === undefined || height === undefined ? {} : { width, height };
  const thumbnail = file.thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(file.thumbnail, 'base64') };
  const length = seconds === undefined ? {} : { seconds };
  switch (kind) {
    case 'image':
      return { imageMessage: { ...fields, ...size, ...thumbnail } };
    case 'video':
      return { videoMessage: { ...fields, ...size, ...thumbnail, ...length, ...(gif ? { gifPlayback: true } : {}) } };
    case 'audio':
      return { audioMessage: { ...fields, ...length } };
    case 'voice': {
      const waveform = file.waveform === undefined ? {} : { waveform: Buffer.from(file.waveform, 'base64') };
      return { audioMessage: { ...fields, ...length, ...waveform, ptt: true } };
    }
    case 'document': {
      const name = fileName ?? UNNAMED;
      return { documentMessage: { ...fields, fileName: name, title: name, ...thumbnail } };
    }
    case 'sticker':
      return { stickerMessage: { ...fields, ...size, ...(file.animated ? { isAnimated: true } : {}) } };
  }
}

/**
 * Phones wrap images and videos in one wrapper and voice messages in another (Baileys
 * normalizeMessageContent).
 */
function viewedOnce(kind: FileKind, message: proto.IMessage): proto.IMessage {
  if (kind === 'voice') return { viewOnceMessageV2Extension: { message } };
  if (kind === 'image' || kind === 'video') return { viewOnceMessageV2: { message } };
  throw new EngineError('rejected', `viewOnce: a ${kind} cannot be viewed once`);
}
