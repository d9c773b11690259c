import {
  type EventPlace,
  isSelf,
  type MediaRef,
  type MessageContent,
  party,
  personJid,
  type ReceivedMessage,
  type Self,
} from '@ponte/engine';
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
  const { imageMessage, videoMessage, audioMessage } = message;
  const isMarked = [imageMessage, videoMessage, audioMessage].some((part) => part?.viewOnce);
  return { message, viewOnce: viewOnce || isMarked };
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

/** What a message says beside its content: what it answers, whom it names, how it travelled. */
export type Surroundings = Pick<
  ReceivedMessage,
  'quotedId' | 'mentions' | 'mentionsAll' | 'mentionsMe' | 'forwarded' | 'expiresInSeconds'
>;

/**
 * Mentions read at most: no more than a group has members. WhatsApp's clients read the first ones
 * (whatsmeow has no bound of its own).
 */
const MAX_MENTIONS = 1_024;

/** The surroundings of an unwrapped message. `nonJidMentions`: Baileys messages.js `mentionAll`. */
export function surroundingsOf(message: Message, self: Self): Surroundings {
  const context = contextOf(message);
  const named = [...new Set((context?.mentionedJid ?? []).map(personJid))].slice(0, MAX_MENTIONS);
  const mentionsAll = (context?.nonJidMentions ?? 0) > 0;
  return {
    ...(context?.stanzaId ? { quotedId: context.stanzaId } : {}),
    mentions: named.map((jid) => party(jid)),
    mentionsAll,
    mentionsMe: mentionsAll || named.some((jid) => isSelf(jid, self)),
    forwarded: context?.isForwarded ?? false,
    ...(context?.expiration ? { expiresInSeconds: context.expiration } : {}),
  };
}

function readText(message: Message): MessageContent | undefined {
  if (typeof message.conversation === 'string' && message.conversation !== '') {
    return { kind: 'text', body: message.conversation };
  }
  const extended = message.extendedTextMessage;
  return extended ? { kind: 'text', body: extended.text ?? '', ...linkPreview(extended) } : undefined;
}

/** Bounds what a stranger's client put on a card. */
const MAX_CARD_TEXT = 2_048;

function linkPreview(text: proto.Message.IExtendedTextMessage): Pick<MessageContent, 'linkPreview'> {
  const { matchedText: url, title, description } = text;
  if (!url || !(title || description || text.jpegThumbnail?.length)) return {};
  return {
    linkPreview: {
      url: url.slice(0, MAX_CARD_TEXT),
      ...(title ? { title: title.slice(0, MAX_CARD_TEXT) } : {}),
      ...(description ? { description: description.slice(0, MAX_CARD_TEXT) } : {}),
    },
  };
}

function readMedia(message: Message): MessageContent | undefined {
  const { imageMessage: image, audioMessage: audio, documentMessage: document } = message;
  const sticker = message.stickerMessage ?? message.lottieStickerMessage?.message?.stickerMessage;
  const video = message.videoMessage ?? message.ptvMessage;
  if (image) return { kind: 'image', body: image.caption ?? '', media: mediaRef(image) };
  if (video) return { kind: 'video', body: video.caption ?? '', media: { ...videoRef(video), ...noteMark(message) } };
  if (audio)
    return { kind: audio.ptt ? 'voice' : 'audio', body: '', media: { ...mediaRef(audio), ...duration(audio) } };
  if (document) {
    const fileName = document.fileName ?? document.title ?? undefined;
    const media: MediaRef = { ...mediaRef(document), ...(fileName === undefined ? {} : { fileName }) };
    if (document.pageCount) media.pages = document.pageCount;
    return { kind: 'document', body: document.caption ?? '', media };
  }
  if (!sticker) return undefined;
  const isAnimated = Boolean(sticker.isAnimated ?? false) || Boolean(sticker.isLottie ?? false);
  return { kind: 'sticker', body: '', media: { ...mediaRef(sticker), ...(isAnimated ? { isAnimated } : {}) } };
}

const videoRef = (video: proto.Message.IVideoMessage): MediaRef => ({
  ...mediaRef(video),
  ...duration(video),
  ...(video.gifPlayback ? { isGif: true } : {}),
});

const noteMark = (message: Message): Pick<MediaRef, 'isNote'> => (message.ptvMessage ? { isNote: true } : {});

function readStructured(message: Message): MessageContent | undefined {
  const place = message.locationMessage ?? message.liveLocationMessage;
  if (place) return readLocation(place, Boolean(message.liveLocationMessage));
  const poll = pollOf(message);
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

/** The versions of the field that polls came in (Baileys WAProto.proto). */
const pollOf = (message: Message): proto.Message.IPollCreationMessage | null | undefined =>
  message.pollCreationMessage ??
  message.pollCreationMessageV2 ??
  message.pollCreationMessageV3 ??
  message.pollCreationMessageV5;

function readLocation(
  place: proto.Message.ILocationMessage & proto.Message.ILiveLocationMessage,
  isLive: boolean,
): MessageContent {
  return {
    kind: 'location',
    body: place.caption ?? place.comment ?? place.name ?? '',
    location: {
      latitude: place.degreesLatitude ?? 0,
      longitude: place.degreesLongitude ?? 0,
      ...(place.name ? { name: place.name } : {}),
      ...(place.address ? { address: place.address } : {}),
      ...(isLive || place.isLive ? { isLive: true } : {}),
    },
  };
}

function readEvent(event: proto.Message.IEventMessage): MessageContent {
  const startAt = toNumber(event.startTime) ?? 0;
  const endAt = toNumber(event.endTime);
  const description = event.description ?? undefined;
  const location = event.location?.name ?? undefined;
  const place = placeOf(event.location);
  return {
    kind: 'event',
    body: event.name ?? '',
    event: {
      startAt,
      ...(endAt === undefined ? {} : { endAt }),
      ...(description === undefined ? {} : { description }),
      ...(location === undefined ? {} : { location }),
      ...(place === undefined ? {} : { place }),
      ...(event.isCanceled ? { isCanceled: true } : {}),
      ...(event.joinLink ? { joinLink: event.joinLink } : {}),
    },
  };
}

/** Undefined when the place has a name at most. Degrees that are both 0 were never set. */
function placeOf(location: proto.Message.ILocationMessage | null | undefined): EventPlace | undefined {
  const { address, degreesLatitude: latitude, degreesLongitude: longitude } = location ?? {};
  const place: EventPlace = {
    ...(address ? { address } : {}),
    ...(latitude || longitude ? { latitude: latitude ?? 0, longitude: longitude ?? 0 } : {}),
  };
  return Object.keys(place).length === 0 ? undefined : place;
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
