import { proto as untyped } from 'zapo-js/proto';

/**
 * The typed door to WhatsApp's protobufs. The codec is zapo-js; its type declarations point to a
 * file it does not ship (0.3.0: dist/types/proto.d.ts names ../proto), so everything would be
 * `any`. Declared here is what phones read or write; fields are absent or null when unset, and
 * int64 come back as number-like objects (use Number()).
 */
type Maybe<T> = T | null | undefined;
/** int64 on the way out: protobufjs gives a Long, which Number() reads. */
export type Int64 = number | { toString(): string };

export interface MessageKey {
  remoteJid?: Maybe<string>;
  fromMe?: Maybe<boolean>;
  id?: Maybe<string>;
  participant?: Maybe<string>;
}

export interface ContextInfo {
  stanzaId?: Maybe<string>;
  participant?: Maybe<string>;
  quotedMessage?: Maybe<Message>;
  mentionedJid?: Maybe<string[]>;
  isForwarded?: Maybe<boolean>;
  forwardingScore?: Maybe<number>;
  expiration?: Maybe<number>;
  ephemeralSettingTimestamp?: Maybe<Int64>;
  /** 1: all members of the group are mentioned. */
  nonJidMentions?: Maybe<number>;
}

interface WithContext {
  contextInfo?: Maybe<ContextInfo>;
}

/** What every kind of media message says of its file; each kind uses some of the rest. */
export interface MediaPart extends WithContext {
  url?: Maybe<string>;
  directPath?: Maybe<string>;
  mediaKey?: Maybe<Uint8Array>;
  mediaKeyTimestamp?: Maybe<Int64>;
  mimetype?: Maybe<string>;
  fileSha256?: Maybe<Uint8Array>;
  fileEncSha256?: Maybe<Uint8Array>;
  fileLength?: Maybe<Int64>;
  caption?: Maybe<string>;
  fileName?: Maybe<string>;
  title?: Maybe<string>;
  seconds?: Maybe<number>;
  ptt?: Maybe<boolean>;
  gifPlayback?: Maybe<boolean>;
  viewOnce?: Maybe<boolean>;
  isAnimated?: Maybe<boolean>;
}

interface Wrapper {
  message?: Maybe<Message>;
}

/** The card of a link, as the sender's client made it. */
export interface LinkPreview {
  /** The link as it stands in the text. */
  matchedText?: Maybe<string>;
  canonicalUrl?: Maybe<string>;
  title?: Maybe<string>;
  description?: Maybe<string>;
  previewType?: Maybe<number>;
}

export interface ContactCard extends WithContext {
  displayName?: Maybe<string>;
  vcard?: Maybe<string>;
}

export interface PollCreation extends WithContext {
  name?: Maybe<string>;
  options?: Maybe<{ optionName?: Maybe<string> }[]>;
  selectableOptionsCount?: Maybe<number>;
}

export interface EventCreation extends WithContext {
  name?: Maybe<string>;
  description?: Maybe<string>;
  location?: Maybe<Pin>;
  startTime?: Maybe<Int64>;
  endTime?: Maybe<Int64>;
  isCanceled?: Maybe<boolean>;
  isScheduleCall?: Maybe<boolean>;
  joinLink?: Maybe<string>;
  extraGuestsAllowed?: Maybe<boolean>;
}

/** Ciphertext of an answer (vote, RSVP). */
export interface SealedAnswer {
  encPayload?: Maybe<Uint8Array>;
  encIv?: Maybe<Uint8Array>;
}

export interface HistorySyncNotification {
  fileSha256?: Maybe<Uint8Array>;
  fileLength?: Maybe<Int64>;
  mediaKey?: Maybe<Uint8Array>;
  fileEncSha256?: Maybe<Uint8Array>;
  directPath?: Maybe<string>;
  syncType?: Maybe<number>;
  chunkOrder?: Maybe<number>;
  progress?: Maybe<number>;
  originalMessageId?: Maybe<string>;
  oldestMsgInChunkTimestampSec?: Maybe<Int64>;
  /** zlib-compressed HistorySync, instead of a file. */
  initialHistBootstrapInlinePayload?: Maybe<Uint8Array>;
  peerDataRequestSessionId?: Maybe<string>;
}

/** What a companion asks of the phone. */
export interface PeerRequest {
  peerDataOperationRequestType?: Maybe<number>;
  historySyncOnDemandRequest?: Maybe<{
    chatJid?: Maybe<string>;
    oldestMsgId?: Maybe<string>;
    oldestMsgFromMe?: Maybe<boolean>;
    onDemandMsgCount?: Maybe<number>;
    oldestMsgTimestampMs?: Maybe<Int64>;
  }>;
  placeholderMessageResendRequest?: Maybe<{ messageKey?: Maybe<MessageKey> }[]>;
}

export interface ProtocolMessage {
  ephemeralExpiration?: Maybe<number>;
  ephemeralSettingTimestamp?: Maybe<Int64>;
  type?: Maybe<number>;
  appStateSyncKeyShare?: Maybe<{
    keys?: Maybe<
      {
        keyId?: Maybe<{ keyId?: Maybe<Uint8Array> }>;
        keyData?: Maybe<{
          keyData?: Maybe<Uint8Array>;
          fingerprint?: Maybe<{ rawId?: number; currentIndex?: number; deviceIndexes?: number[] }>;
          timestamp?: Maybe<Int64>;
        }>;
      }[]
    >;
  }>;
  appStateSyncKeyRequest?: Maybe<{ keyIds?: Maybe<{ keyId?: Maybe<Uint8Array> }[]> }>;
  historySyncNotification?: Maybe<HistorySyncNotification>;
  peerDataOperationRequestMessage?: Maybe<PeerRequest>;
  peerDataOperationRequestResponseMessage?: Maybe<{
    peerDataOperationRequestType?: Maybe<number>;
    stanzaId?: Maybe<string>;
    peerDataOperationResult?: Maybe<
      { placeholderMessageResendResponse?: Maybe<{ webMessageInfoBytes?: Maybe<Uint8Array> }> }[]
    >;
  }>;
  lidMigrationMappingSyncMessage?: Maybe<{ encodedMappingPayload?: Maybe<Uint8Array> }>;
  key?: Maybe<MessageKey>;
  editedMessage?: Maybe<Message>;
  timestampMs?: Maybe<Int64>;
}

interface Pin extends WithContext {
  degreesLatitude?: Maybe<number>;
  degreesLongitude?: Maybe<number>;
  name?: Maybe<string>;
  address?: Maybe<string>;
  /** Of live locations. */
  caption?: Maybe<string>;
  sequenceNumber?: Maybe<Int64>;
}

/** WhatsApp's Message; at most one content field is set, others accompany it. */
export interface Message {
  conversation?: Maybe<string>;
  extendedTextMessage?: Maybe<WithContext & LinkPreview & { text?: Maybe<string> }>;
  locationMessage?: Maybe<Pin>;
  liveLocationMessage?: Maybe<Pin>;
  contactMessage?: Maybe<ContactCard>;
  contactsArrayMessage?: Maybe<WithContext & { displayName?: Maybe<string>; contacts?: Maybe<ContactCard[]> }>;
  imageMessage?: Maybe<MediaPart>;
  videoMessage?: Maybe<MediaPart>;
  ptvMessage?: Maybe<MediaPart>;
  audioMessage?: Maybe<MediaPart>;
  documentMessage?: Maybe<MediaPart>;
  stickerMessage?: Maybe<MediaPart>;
  pollCreationMessage?: Maybe<PollCreation>;
  pollCreationMessageV2?: Maybe<PollCreation>;
  pollCreationMessageV3?: Maybe<PollCreation>;
  pollUpdateMessage?: Maybe<{
    pollCreationMessageKey?: Maybe<MessageKey>;
    vote?: Maybe<SealedAnswer>;
    senderTimestampMs?: Maybe<Int64>;
  }>;
  eventMessage?: Maybe<EventCreation>;
  secretEncryptedMessage?: Maybe<
    SealedAnswer & { targetMessageKey?: Maybe<MessageKey>; secretEncType?: Maybe<number> }
  >;
  encEventResponseMessage?: Maybe<SealedAnswer & { eventCreationMessageKey?: Maybe<MessageKey> }>;
  reactionMessage?: Maybe<{ key?: Maybe<MessageKey>; text?: Maybe<string>; senderTimestampMs?: Maybe<Int64> }>;
  protocolMessage?: Maybe<ProtocolMessage>;
  editedMessage?: Maybe<Wrapper>;
  ephemeralMessage?: Maybe<Wrapper>;
  viewOnceMessage?: Maybe<Wrapper>;
  viewOnceMessageV2?: Maybe<Wrapper>;
  viewOnceMessageV2Extension?: Maybe<Wrapper>;
  documentWithCaptionMessage?: Maybe<Wrapper>;
  deviceSentMessage?: Maybe<{ destinationJid?: Maybe<string>; message?: Maybe<Message> }>;
  senderKeyDistributionMessage?: Maybe<{
    groupId?: Maybe<string>;
    axolotlSenderKeyDistributionMessage?: Maybe<Uint8Array>;
  }>;
  messageContextInfo?: Maybe<{ messageSecret?: Maybe<Uint8Array> }>;
}

export interface SignedDeviceIdentity {
  details?: Maybe<Uint8Array>;
  accountSignatureKey?: Maybe<Uint8Array>;
  accountSignature?: Maybe<Uint8Array>;
  deviceSignature?: Maybe<Uint8Array>;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Library {
  Message: Codec<Message> & {
    PollVoteMessage: Codec<{ selectedOptions?: Maybe<Uint8Array[]> }>;
    EventResponseMessage: Codec<{
      response?: Maybe<number>;
      timestampMs?: Maybe<Int64>;
      extraGuestCount?: Maybe<number>;
    }>;
  };
  MediaRetryNotification: Codec<{ stanzaId?: Maybe<string>; directPath?: Maybe<string>; result?: Maybe<number> }>;
  ServerErrorReceipt: Codec<{ stanzaId?: Maybe<string> }>;
  ADVDeviceIdentity: Codec<{ rawId?: Maybe<number>; timestamp?: Maybe<Int64>; keyIndex?: Maybe<number> }>;
  ADVSignedDeviceIdentity: Codec<SignedDeviceIdentity>;
  ADVSignedDeviceIdentityHMAC: Codec<{ details?: Maybe<Uint8Array>; hmac?: Maybe<Uint8Array> }>;
}

const library: unknown = untyped;
export const proto = library as Library;

/** Numbers of ProtocolMessage.Type that phones use. */
export const PROTOCOL = {
  revoke: 0,
  ephemeralSetting: 3,
  historySyncNotification: 5,
  appStateSyncKeyShare: 6,
  appStateSyncKeyRequest: 7,
  messageEdit: 14,
  peerDataOperationRequest: 16,
  peerDataOperationResponse: 17,
  lidMigrationMappingSync: 22,
} as const;
/** Number of SecretEncryptedMessage.SecretEncType. */
export const SEALED_EDIT = 2;
/** Numbers of PeerDataOperationRequestType. */
export const PEER_REQUEST = { historyOnDemand: 3, placeholderResend: 4, fullHistoryOnDemand: 6 } as const;
/** Numbers of MediaRetryNotification.ResultType. */
export const MEDIA_RETRY = { success: 1, notFound: 2, decryptionError: 3 } as const;
/** Numbers of EventResponseMessage.EventResponseType. */
export const EVENT_RESPONSE = { going: 1, not_going: 2, maybe: 3 } as const;

/** Plain bytes of an encoded message. */
export function encoded<T>(codec: Codec<T>, message: T): Uint8Array {
  return codec.encode(message).finish();
}
