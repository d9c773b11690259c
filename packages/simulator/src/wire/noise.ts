import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { agree, generateKeyPair, type KeyPair } from '../signal/curve.ts';
import { WA_HEADER } from './frames.ts';
import { type HandshakeMessage, proto } from './wire-proto.ts';

const PATTERN = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const TAG_BYTES = 16;
const EMPTY = Buffer.alloc(0);

/**
 * The client failed the handshake, or a frame does not open with the agreed key. The connection
 * cannot go on.
 */
export class NoiseError extends Error {
  override readonly name = 'NoiseError';
}

/** What the client proved and said in its last handshake message. */
export interface ClientFinish {
  /** The client's Noise static key (32 bytes): identifies a companion between connections. */
  staticKey: Uint8Array;
  /** Bytes of the protobuf ClientPayload. */
  payload: Uint8Array;
}

/**
 * The server's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp Web speaks it
 * (https://noiseprotocol.org/noise.html; prologue = the WA header). Call `readHello`, `readFinish`,
 * then `seal`/`open`, in the order of the frames. Synchronous: frames cannot overtake.
 */
export class NoiseResponder {
  readonly #staticKey: KeyPair;
  readonly #certificates: Uint8Array;
  readonly #ephemeral: KeyPair;
  #hash: Uint8Array = PATTERN;
  #salt: Uint8Array = PATTERN;
  #key: Uint8Array = PATTERN;
  #nonce = 0;
  #sealKey: Uint8Array | undefined;
  #openKey: Uint8Array | undefined;
  #sealed = 0;
  #opened = 0;

  constructor(options: { staticKey: KeyPair; certificates: Uint8Array; random: (length: number) => Uint8Array }) {
    this.#staticKey = options.staticKey;
    this.#certificates = options.certificates;
    this.#ephemeral = generateKeyPair(options.random);
    this.#mixHash(WA_HEADER);
  }

  /**
   * Takes the client hello and answers the server hello (protobuf HandshakeMessage, not yet
   * framed).
   */
  readHello(message: Uint8Array): Uint8Array {
    const clientEphemeral = decode(message).clientHello?.ephemeral;
    if (clientEphemeral?.length !== 32) throw new NoiseError('the client hello has no 32-byte ephemeral key');
    this.#mixHash(clientEphemeral);
    this.#mixHash(this.#ephemeral.publicKey);
    this.#mixKey(agree(this.#ephemeral.privateKey, clientEphemeral));
    const encryptedStatic = this.#encrypt(this.#staticKey.publicKey);
    this.#mixKey(agree(this.#staticKey.privateKey, clientEphemeral));
    const payload = this.#encrypt(this.#certificates);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.publicKey, static: encryptedStatic, payload },
    }).finish();
  }

  /** Takes the client finish; afterwards `seal` and `open` work. */
  readFinish(message: Uint8Array): ClientFinish {
    const finish = decode(message).clientFinish;
    if (!finish?.static || !finish.payload) throw new NoiseError('the client finish lacks its static key or payload');
    const staticKey = this.#decrypt(finish.static);
    if (staticKey.length !== 32) throw new NoiseError(`the client's static key has ${staticKey.length} bytes, not 32`);
    this.#mixKey(agree(this.#ephemeral.privateKey, staticKey));
    const payload = this.#decrypt(finish.payload);
    const [fromClient, toClient] = this.#derive(EMPTY);
    this.#openKey = fromClient;
    this.#sealKey = toClient;
    return { staticKey, payload };
  }

  seal(plaintext: Uint8Array): Uint8Array {
    if (!this.#sealKey) throw new NoiseError('seal before the end of the handshake');
    return gcmSeal(this.#sealKey, this.#sealed++, EMPTY, plaintext);
  }

  open(ciphertext: Uint8Array): Uint8Array {
    if (!this.#openKey) throw new NoiseError('open before the end of the handshake');
    return gcmOpen(this.#openKey, this.#opened++, EMPTY, ciphertext);
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  #mixKey(secret: Uint8Array): void {
    [this.#salt, this.#key] = this.#derive(secret);
    this.#nonce = 0;
  }

  #derive(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const out = new Uint8Array(hkdfSync('sha256', secret, this.#salt, EMPTY, 64));
    return [out.subarray(0, 32), out.subarray(32)];
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    const out = gcmSeal(this.#key, this.#nonce++, this.#hash, plaintext);
    this.#mixHash(out);
    return out;
  }

  #decrypt(ciphertext: Uint8Array): Uint8Array {
    const out = gcmOpen(this.#key, this.#nonce++, this.#hash, ciphertext);
    this.#mixHash(ciphertext);
    return out;
  }
}

function decode(message: Uint8Array): HandshakeMessage {
  try {
    return proto.HandshakeMessage.decode(message);
  } catch (cause) {
    throw new NoiseError('a handshake frame is no HandshakeMessage', { cause });
  }
}

function iv(counter: number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt32BE(counter, 8);
  return out;
}

function gcmSeal(key: Uint8Array, counter: number, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, iv(counter));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function gcmOpen(key: Uint8Array, counter: number, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length < TAG_BYTES) throw new NoiseError('a frame is shorter than its authentication tag');
  const decipher = createDecipheriv('aes-256-gcm', key, iv(counter));
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new NoiseError('a frame does not open with the agreed key', { cause });
  }
}
