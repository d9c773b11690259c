import type { Node } from '@ponte/engine';

/** What a virtual phone has of the network: the same stanzas a socket would carry. */
export interface DeviceLink {
  /**
   * Hands a stanza to the server. The server's reactions (ack, receipts, notifications) come back
   * through Phone.receive. Returns the time that the server gave a message (seconds since 1970);
   * undefined for everything else, and when it did not say so at once.
   */
  send(node: Node): number | undefined;
  /**
   * Sends an <iq> and resolves with its answer; rejects with IqError(code,text) on type=error.
   * In-process, so no timeout is needed, but it always settles.
   */
  query(node: Node): Promise<Node>;
}

/**
 * Durable key-value state of one phone; synchronous, one SQLite transaction per transaction() call.
 */
export interface PhoneStore {
  get(kind: string, id: string): Uint8Array | undefined;
  set(kind: string, id: string, value: Uint8Array | null): void;
  list(kind: string): { id: string; value: Uint8Array }[];
  transaction<T>(work: () => T): T;
}

/** Where a phone keeps its media: the network's media hosts, without the HTTPS in between. */
export interface PhoneMedia {
  /** Puts encrypted bytes there; `kind` is the word of the upload path (`image`, `ptt` …). */
  upload(kind: string, bytes: Uint8Array): Promise<{ directPath: string; url: string }>;
  /** A fresh direct path to bytes this world still has, by their SHA-256 in hex. */
  reupload(hash: string): string | undefined;
  /** Undefined when the path has expired or leads nowhere. */
  download(directPath: string): Promise<Uint8Array | undefined>;
}

/** Milliseconds since 1970, of the simulated world. */
export interface PhoneClock {
  nowMs(): number;
}

/** Where every key, id and padding byte comes from: seeded in tests, crypto-strong otherwise. */
export interface PhoneRng {
  bytes(length: number): Uint8Array;
}

/**
 * The server answered an <iq> with type=error. `code` is the number WhatsApp would send (404, 501,
 * …).
 */
export class IqError extends Error {
  override readonly name = 'IqError';
  readonly code: number;

  constructor(code: number, text: string) {
    super(`the server refused the query: ${code} ${text}`);
    this.code = code;
  }
}

/** Settings of a phone that the sandbox can change. */
export interface PhoneSettings {
  /**
   * Receipts the phone sends by itself for a message it has decrypted. `read` implies delivered.
   */
  autoReceipts: 'none' | 'delivered' | 'read';
  /** False: the server keeps the phone's mail until it is online again. */
  online: boolean;
  /**
   * By which name the phone writes to people: `lid` as WhatsApp does today, `pn` as before the
   * migration of 2025.
   */
  addressing: 'lid' | 'pn';
  /** True: every text that arrives in a 1:1 chat is answered with the same text. */
  replyEcho: boolean;
}

/** What a phone answers to a scanned QR code: everything the server needs for `<pair-success>`. */
export interface LinkOffer {
  /** The `ref` of the QR code: names the connection that shows it. */
  ref: string;
  /** Noise public key of the companion (32 bytes), as the QR says. */
  companionNoiseKey: Uint8Array;
  /** Identity public key of the companion (32 bytes), as the QR says. */
  companionIdentityKey: Uint8Array;
  /**
   * The secret that only the QR shows; a server of WhatsApp never has it, a hostile one in a test
   * does.
   */
  advSecret: Uint8Array;
  /** Number of this link in the account's key list; belongs into usync's `<device key-index>`. */
  keyIndex: number;
  /**
   * Bytes of the protobuf ADVSignedDeviceIdentityHMAC: content of `<device-identity>` in
   * `<pair-success>`.
   */
  deviceIdentityHmac: Uint8Array;
}

/** A link that both sides have signed. */
export interface ConfirmedLink {
  keyIndex: number;
  companionIdentityKey: Uint8Array;
  /**
   * Bytes of the protobuf ADVSignedDeviceIdentity with both signatures and the account's key:
   * `<device-identity>` of a key bundle.
   */
  signedIdentity: Uint8Array;
}

/**
 * The QR text, or what a companion answered, does not fit: nothing was linked. The message says
 * what is wrong; it begins with `qr: ` when another QR code would help.
 */
export class LinkError extends Error {
  override readonly name = 'LinkError';

  get isAboutQr(): boolean {
    return this.message.startsWith('qr: ');
  }
}

/**
 * The link code is not the one a line shows for this phone. Nothing was linked; the right code
 * still works.
 */
export class CodeMismatchError extends Error {
  override readonly name = 'CodeMismatchError';
}

/** What the world needs of a phone. */
export interface PhoneDevice {
  /** `15550001111@s.whatsapp.net`, device 0. */
  readonly jid: string;
  /** `…@lid`, device 0. */
  readonly lid: string;
  readonly name: string;
  /**
   * Makes keys when the phone is new and uploads them. Sends nothing else. Call once, before the
   * first receive().
   */
  start(): Promise<void>;
  /**
   * The server pushes a stanza. Handled in order of the calls; resolves when this one has been
   * handled (and acknowledged).
   */
  receive(node: Node): Promise<void>;
  /** Scans a QR code. Throws LinkError when the text is no pairing QR. */
  linkDevice(qrText: string): LinkOffer;
  /**
   * Checks the companion's signature in its answer to `<pair-success>` (the bytes of
   * `<device-identity>`). Throws LinkError.
   */
  confirmLink(ref: string, deviceIdentity: Uint8Array): ConfirmedLink;
}
