// The only place that loads Baileys: the hardening must be in place before its modules copy
// libsignal's functions.
import './hardening/install.ts';

export type {
  AuthenticationCreds,
  CacheStore,
  GroupMetadata,
  LIDMapping,
  SignalAuthState,
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
  SignalKeyStoreWithTransaction,
  SignalRepositoryWithLIDStore,
  SocketConfig,
  WASocket,
} from 'baileys';
export {
  aesDecryptCTR,
  aesEncryptCTR,
  aesEncryptGCM,
  Browsers,
  BufferJSON,
  buildPairingQRData,
  bytesToCrockford,
  Curve,
  configureSuccessfulPairing,
  DEFAULT_CONNECTION_CONFIG,
  decodeMessageNode,
  decryptEventResponse,
  decryptMessageNode,
  decryptPollVote,
  derivePairingCodeKey,
  extractE2ESessionFromRetryReceipt,
  extractSyncdPatches,
  getCompanionPlatformId,
  getNextPreKeysNode,
  hkdf,
  initAuthCreds,
  makeWASocket,
  normalizeMessageContent,
  proto,
  unpadRandomMax16,
  WA_CERT_DETAILS,
} from 'baileys';
export { LIDMappingStore } from 'baileys/lib/Signal/lid-mapping.js';
export {
  resolveIssuanceJid,
  shouldSendNewTcToken,
  storeTcTokensFromIqResult,
} from 'baileys/lib/Utils/tc-token-utils.js';
