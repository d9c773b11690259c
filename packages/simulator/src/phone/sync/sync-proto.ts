import { proto as untyped } from 'zapo-js/proto';
import type { Int64, Message, MessageKey } from '../wa-proto.ts';

/**
 * The typed door to the protobufs of app state and history (as wa-proto.ts is to messages; the same
 * codec, the same conventions).
 */
type Maybe<T> = T | null | undefined;

export interface SyncdRecord {
  index?: Maybe<{ blob?: Maybe<Uint8Array> }>;
  value?: Maybe<{ blob?: Maybe<Uint8Array> }>;
  keyId?: Maybe<{ id?: Maybe<Uint8Array> }>;
}

export interface SyncdMutation {
  /** 0 sets, 1 removes. */
  operation?: Maybe<number>;
  record?: Maybe<SyncdRecord>;
}

export interface ExternalBlob {
  mediaKey?: Maybe<Uint8Array>;
  directPath?: Maybe<string>;
  handle?: Maybe<string>;
  fileSizeBytes?: Maybe<Int64>;
  fileSha256?: Maybe<Uint8Array>;
  fileEncSha256?: Maybe<Uint8Array>;
}

export interface SyncdPatch {
  version?: Maybe<{ version?: Maybe<Int64> }>;
  mutations?: Maybe<SyncdMutation[]>;
  externalMutations?: Maybe<ExternalBlob>;
  snapshotMac?: Maybe<Uint8Array>;
  patchMac?: Maybe<Uint8Array>;
  keyId?: Maybe<{ id?: Maybe<Uint8Array> }>;
  deviceIndex?: Maybe<number>;
}

export interface SyncdSnapshot {
  version?: Maybe<{ version?: Maybe<Int64> }>;
  records?: Maybe<SyncdRecord[]>;
  mac?: Maybe<Uint8Array>;
  keyId?: Maybe<{ id?: Maybe<Uint8Array> }>;
}

/** What an action was based on: a client with newer messages may ignore it. */
export interface MessageRange {
  lastMessageTimestamp?: Maybe<Int64>;
  messages?: Maybe<{ key?: Maybe<MessageKey>; timestamp?: Maybe<Int64> }[]>;
}

/** One setting; at most one field besides the time. */
export interface SyncAction {
  timestamp?: Maybe<Int64>;
  archiveChatAction?: Maybe<{ archived?: Maybe<boolean>; messageRange?: Maybe<MessageRange> }>;
  pinAction?: Maybe<{ pinned?: Maybe<boolean> }>;
  muteAction?: Maybe<{ muted?: Maybe<boolean>; muteEndTimestamp?: Maybe<Int64> }>;
  markChatAsReadAction?: Maybe<{ read?: Maybe<boolean>; messageRange?: Maybe<MessageRange> }>;
  contactAction?: Maybe<{
    fullName?: Maybe<string>;
    firstName?: Maybe<string>;
    lidJid?: Maybe<string>;
    pnJid?: Maybe<string>;
  }>;
  lidContactAction?: Maybe<{ fullName?: Maybe<string>; firstName?: Maybe<string> }>;
  pushNameSetting?: Maybe<{ name?: Maybe<string> }>;
  pnForLidChatAction?: Maybe<{ pnJid?: Maybe<string> }>;
  starAction?: Maybe<{ starred?: Maybe<boolean> }>;
  nctSaltSyncAction?: Maybe<{ salt?: Maybe<Uint8Array> }>;
}

export interface SyncActionData {
  index?: Maybe<Uint8Array>;
  value?: Maybe<SyncAction>;
  padding?: Maybe<Uint8Array>;
  version?: Maybe<number>;
}

/** A message with what is known of it, as history carries it. */
export interface HistoryMessage {
  key: MessageKey;
  message?: Maybe<Message>;
  messageTimestamp?: Maybe<Int64>;
  /** 0 error, 1 pending, 2 server ack, 3 delivered, 4 read, 5 played. */
  status?: Maybe<number>;
  participant?: Maybe<string>;
  pushName?: Maybe<string>;
}

export interface Conversation {
  id: string;
  messages?: Maybe<{ message?: Maybe<HistoryMessage>; msgOrderId?: Maybe<Int64> }[]>;
  lastMsgTimestamp?: Maybe<Int64>;
  conversationTimestamp?: Maybe<Int64>;
  unreadCount?: Maybe<number>;
  endOfHistoryTransfer?: Maybe<boolean>;
  endOfHistoryTransferType?: Maybe<number>;
  name?: Maybe<string>;
  displayName?: Maybe<string>;
  archived?: Maybe<boolean>;
  pinned?: Maybe<number>;
  muteEndTime?: Maybe<Int64>;
  markedAsUnread?: Maybe<boolean>;
  pnJid?: Maybe<string>;
  lidJid?: Maybe<string>;
  /** How long its messages stay, and since when. */
  ephemeralExpiration?: Maybe<number>;
  ephemeralSettingTimestamp?: Maybe<Int64>;
}

export interface HistorySync {
  syncType: number;
  conversations?: Maybe<Conversation[]>;
  statusV3Messages?: Maybe<HistoryMessage[]>;
  chunkOrder?: Maybe<number>;
  progress?: Maybe<number>;
  pushnames?: Maybe<{ id?: Maybe<string>; pushname?: Maybe<string> }[]>;
  phoneNumberToLidMappings?: Maybe<{ pnJid?: Maybe<string>; lidJid?: Maybe<string> }[]>;
}

export interface LidMigration {
  pnToLidMappings?: Maybe<{ pn?: Maybe<Int64>; assignedLid?: Maybe<Int64>; latestLid?: Maybe<Int64> }[]>;
  chatDbMigrationTimestamp?: Maybe<Int64>;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Library {
  WebMessageInfo: Codec<HistoryMessage>;
  SyncdPatch: Codec<SyncdPatch>;
  SyncdSnapshot: Codec<SyncdSnapshot>;
  SyncdMutations: Codec<{ mutations?: Maybe<SyncdMutation[]> }>;
  SyncActionData: Codec<SyncActionData>;
  ExternalBlobReference: Codec<ExternalBlob>;
  HistorySync: Codec<HistorySync>;
  LIDMigrationMappingSyncPayload: Codec<LidMigration>;
}

const library: unknown = untyped;
export const syncProto = library as Library;

/** Numbers of HistorySync.HistorySyncType. */
export const HISTORY = {
  initialBootstrap: 0,
  initialStatus: 1,
  full: 2,
  recent: 3,
  pushName: 4,
  nonBlockingData: 5,
  onDemand: 6,
} as const;
