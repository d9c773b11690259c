import type { MediaRef, MessageContent } from '@ponte/engine';
import { normalizeMessageContent, type proto } from '../baileys.ts';

type Message = proto.IMessage;

/**
 * A message without its wrappers (own-device copy, disappearing, view once, document with caption,
 * …; Baileys messages.js). `viewOnce` tells whether one of them was a view-once wrapper.
 */
export function unwrapMessage(outer: Message): { message: Message; viewOnce: boolean } {
  const sent = outer.deviceSentMessage?.message ?? outer;
  const once = sent.ephemeralMessage?.message ?? sent;
  const viewOnce = Boolean(once.viewOnceMessage ?? once.viewOnceMessageV2 ?? once.viewOnceMessageV2Extension);
  const message = normalizeMessageContent(sent) ?? {};
  return { message, viewOnce: viewOnce || Boolean(message.imageMessage?.viewOnce ?? message.videoMessage?.viewOnce) };
}

/** What an unwrapped message says; kind `unknown` for what this version has no word for. */
export function readContent(message: Message): MessageContent {
  return readText(message) ?? readMedia(message) ?? readStructured(message) ?? { kind: 'unknown', body: '' };
}

/** Quotes, mentions and forwarding, wherever this kind of message keeps them. */
export function contextOf(message: Message): proto.IContextInfo | undefined {
  for (const part of Object.values(message)) {
    if (typeof part === 'object' && part !== null && 'contextInfo' in part && part.contextInfo) return part.contextInfo;
  }
  return undefined;
}

function readText(message: Message): MessageContent | undefined {
  if (typeof message.conversation === 'string' && message.conversation !== '') {
    return { kind: 'text', body: message.conversation };
  }
  const extended = message.extendedTextMessage;
  return extended ? { kind: 'text', body: extended.text ?? '' } : undefined;
}

function readMedia(message: Message): MessageContent | undefined {
  const { imageMessage: image, audioMessage: audio, documentMessage: document, stickerMessage: sticker } = message;
  const video = message.videoMessage ?? message.ptvMessage;
  if (image) return { kind: 'image', body: image.caption ?? '', media: mediaRef(image) };
  if (video) return { kind: 'video', body: video.caption ?? '', media: { ...mediaRef(video), ...duration(video) } };
  if (audio)
    return { kind: audio.ptt ? 'voice' : 'audio', body: '', media: { ...mediaRef(audio), ...duration(audio) } };
  if (document) {
    const fileName = document.fileName ?? document.title ?? undefined;
    const media = { ...mediaRef(document), ...(fileName === undefined ? {} : { fileName }) };
    return { kind: 'document', body: document.caption ?? '', media };
  }
  return sticker ? { kind: 'sticker', body: '', media: mediaRef(sticker) } : undefined;
}

function readStructured(message: Message): MessageContent | undefined {
  const place = message.locationMessage ?? message.liveLocationMessage;
  if (place) return readLocation(place);
  const poll = message.pollCreationMessage ?? message.pollCreationMessageV2 ?? message.pollCreationMessageV3;
  if (poll) {
    const options = (poll.options ?? []).map((option) => option.optionName ?? '');
    return { kind: 'poll', body: poll.name ?? '', poll: { options, maxAnswers: poll.selectableOptionsCount ?? 0 } };
  }
  const event = message.eventMessage;
  if (event) return readEvent(event);
  const cards = message.contactMessage ? [message.contactMessage] : message.contactsArrayMessage?.contacts;
  if (!cards) return undefined;
  const contacts = cards.map((card) => ({ name: card.displayName ?? '', vcard: card.vcard ?? '' }));
  return { kind: 'contact', body: contacts.map(({ name }) => name).join(', '), contacts };
}

function readLocation(place: proto.Message.ILocationMessage & proto.Message.ILiveLocationMessage): MessageContent {
  return {
    kind: 'location',
    body: place.caption ?? place.comment ?? place.name ?? '',
    location: {
      latitude: place.degreesLatitude ?? 0,
      longitude: place.degreesLongitude ?? 0,
      ...(place.name ? { name: place.name } : {}),
      ...(place.address ? { address: place.address } : {}),
    },
  };
}

function readEvent(event: proto.Message.IEventMessage): MessageContent {
  const startAt = toNumber(event.startTime) ?? 0;
  const endAt = toNumber(event.endTime);
  const description = event.description ?? undefined;
  const location = event.location?.name ?? undefined;
  return {
    kind: 'event',
    body: event.name ?? '',
    event: {
      startAt,
      ...(endAt === undefined ? {} : { endAt }),
      ...(description === undefined ? {} : { description }),
      ...(location === undefined ? {} : { location }),
      ...(event.joinLink ? { joinLink: event.joinLink } : {}),
    },
  };
}

/** The fields every media message has. */
interface Media {
  mimetype?: string | null;
  fileLength?: number | { toString(): string } | null;
  fileSha256?: Uint8Array | null;
  width?: number | null;
  height?: number | null;
}

function mediaRef(media: Media): MediaRef {
  const sizeBytes = toNumber(media.fileLength);
  const ref: MediaRef = { mimeType: media.mimetype ?? 'application/octet-stream' };
  if (sizeBytes !== undefined) ref.sizeBytes = sizeBytes;
  if (media.fileSha256?.length) ref.sha256 = Buffer.from(media.fileSha256).toString('base64');
  if (media.width) ref.width = media.width;
  if (media.height) ref.height = media.height;
  return ref;
}

const duration = (media: { seconds?: number | null }): { durationSeconds?: number } =>
  media.seconds ? { durationSeconds: media.seconds } : {};

/** protobufjs gives 64-bit numbers as Long. */
export function toNumber(value: number | { toString(): string } | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  const number = Number(value.toString());
  return Number.isFinite(number) ? number : undefined;
}
