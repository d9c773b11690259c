import { MEDIA_KEY_BYTES, sealFile } from '../media/media-cipher.ts';
import { fixtureOf } from '../media/media-fixtures.ts';
import { MEDIA_KINDS, type MediaKind, mediaOf } from '../media/media-kinds.ts';
import type { MediaPart, Message } from '../wa-proto.ts';
import { type Input, InputError } from './input.ts';
import type { BuildContext, Built, Content, ContentKind } from './kind.ts';

const MAX_FILE_BYTES = 12 * 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

export const isBase64 = (text: string): boolean => BASE64.test(text);

/**
 * `{"type":"image","data":"<base64>"}` or `{"type":"image","fixture":"image"}`, with `mime_type`,
 * `caption`, `filename`, `seconds`, `view_once`, `animated` (stickers). What is to be viewed once
 * goes to phones only (linked devices are told that it is there), unless `to_companions` says
 * otherwise. Nothing is ever fetched: a `url` alone is refused.
 */
export const MEDIA_CONTENT: readonly ContentKind[] = MEDIA_KINDS.map((kind) => ({
  type: kind.type,
  build: (input, context) => build(kind, input, context),
  read: (message) => read(kind, message),
}));

async function build(kind: MediaKind, input: Input, context: BuildContext): Promise<Built> {
  const isViewOnce = input.flag('view_once');
  if (isViewOnce && !kind.canBeViewOnce) throw new InputError('view_once', `a ${kind.type} cannot be viewed once`);
  const file = fileOf(kind, input);
  const given = partOf(kind, input, file.mimeType);
  const mediaKey = context.random(MEDIA_KEY_BYTES);
  const sealed = sealFile(file.bytes, mediaKey, kind.use);
  const { directPath, url } = await context.upload(kind.upload, sealed.bytes);
  const part: MediaPart = {
    ...given,
    url,
    directPath,
    mediaKey,
    mediaKeyTimestamp: Math.floor(context.nowMs() / 1000),
    fileSha256: sealed.fileSha256,
    fileEncSha256: sealed.fileEncSha256,
    fileLength: file.bytes.length,
    contextInfo: context.contextInfo,
    ...(isViewOnce ? { viewOnce: true } : {}),
  };
  const content: Message = { [kind.field]: part };
  return {
    message: isViewOnce ? onceOnly(kind, content) : content,
    shape: { type: 'media', mediatype: kind.mediatype, isForPhonesOnly: isViewOnce && !input.flag('to_companions') },
  };
}

// Phones wrap images and videos in one wrapper and voice notes in another (whatsmeow message
// unwrapping, Baileys normalizeMessageContent).
function onceOnly(kind: MediaKind, message: Message): Message {
  return kind.type === 'voice' ? { viewOnceMessageV2Extension: { message } } : { viewOnceMessageV2: { message } };
}

function partOf(kind: MediaKind, input: Input, mimetype: string): MediaPart {
  const caption = input.optionalText('caption', 4096);
  const fileName = input.optionalText('filename', 255);
  const seconds = input.has('seconds') ? input.integer('seconds', 0, 86_400) : undefined;
  const part: MediaPart = { mimetype };
  if (kind.type === 'document') Object.assign(part, { fileName: fileName ?? 'file', title: fileName ?? 'file' });
  if (kind.type === 'voice') part.ptt = true;
  if (kind.type === 'voice' || kind.type === 'audio' || kind.type === 'video') part.seconds = seconds ?? 1;
  if (kind.type === 'video' && input.flag('gif')) part.gifPlayback = true;
  if (kind.type === 'sticker' && input.flag('animated')) part.isAnimated = true;
  if (caption === undefined) return part;
  if (kind.type === 'voice' || kind.type === 'audio' || kind.type === 'sticker') {
    throw new InputError('caption', `a ${kind.type} has none`);
  }
  part.caption = caption;
  return part;
}

function fileOf(kind: MediaKind, input: Input): { bytes: Uint8Array; mimeType: string } {
  const mimeType = input.optionalText('mime_type', 100);
  if (input.has('data')) {
    const text = input.text('data', (MAX_FILE_BYTES / 3) * 4 + 4);
    if (!isBase64(text)) throw new InputError('data', 'must be base64');
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === 0) throw new InputError('data', 'must not be empty');
    return { bytes, mimeType: mimeType ?? kind.mimeType };
  }
  if (input.has('fixture')) {
    const fixture = fixtureOf(kind.type, input.text('fixture', 50));
    return { bytes: fixture.bytes, mimeType: mimeType ?? fixture.mimeType };
  }
  if (input.has('url')) {
    throw new InputError('url', 'is not fetched by the sandbox network; send the bytes as data (base64), or a fixture');
  }
  throw new InputError('data', `is required for a ${kind.type}: base64, or give a fixture`);
}

function read(wanted: MediaKind, message: Message): Content | undefined {
  const found = mediaOf(message);
  if (found?.kind !== wanted) return undefined;
  const { mimetype, fileLength, fileSha256, caption, fileName, seconds, gifPlayback, viewOnce, isAnimated } =
    found.part;
  return {
    type: wanted.type,
    ...(caption ? { body: caption } : {}),
    fields: {
      mime_type: mimetype ?? '',
      size: Number(fileLength ?? 0),
      sha256: Buffer.from(fileSha256 ?? []).toString('hex'),
      ...(fileName ? { filename: fileName } : {}),
      ...(seconds ? { seconds } : {}),
      ...(gifPlayback ? { gif: true } : {}),
      ...(viewOnce ? { view_once: true } : {}),
      ...(isAnimated ? { animated: true } : {}),
    },
  };
}
