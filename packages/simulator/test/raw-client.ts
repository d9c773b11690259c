import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Node } from '@ponte/engine';
import { WebSocket } from 'ws';
import { agree, generateKeyPair, type KeyPair } from '../src/signal/curve.ts';
import { decodeStanza, encodeStanza } from '../src/wire/codec.ts';
import { frame, WA_HEADER } from '../src/wire/frames.ts';
import { type ClientPayload, proto } from '../src/wire/wire-proto.ts';

const EMPTY = Buffer.alloc(0);
const PATTERN = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');

/**
 * The least that can log in: Noise XX as initiator and stanzas, no Signal. For tests that need many
 * connections, or one that behaves badly. It does not check certificates.
 */
export class RawClient {
  /** Everything that came, unless `isForgetful`. */
  readonly received: Node[] = [];
  isForgetful = false;
  /** Called for every stanza. */
  onStanza: (node: Node) => void = () => undefined;
  readonly ws: WebSocket;
  #send: Uint8Array = EMPTY;
  #receive: Uint8Array = EMPTY;
  #sent = 0;
  #read = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(ws: WebSocket) {
    this.ws = ws;
  }

  static async connect(url: string, payload: ClientPayload, noiseKey: KeyPair): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url));
    await once(client.ws, 'open');
    await client.#handshake(payload, noiseKey);
    return client;
  }

  send(node: Node): void {
    this.sendPlain(encodeStanza(node));
  }

  /** Sends any bytes as the content of a well encrypted frame. */
  sendPlain(bytes: Uint8Array): void {
    this.ws.send(frame(seal(this.#send, this.#sent++, EMPTY, bytes)));
  }

  async #handshake(payload: ClientPayload, noiseKey: KeyPair): Promise<void> {
    const random = (length: number): Uint8Array => randomBytes(length);
    const ephemeral = generateKeyPair(random);
    let hash: Uint8Array = PATTERN;
    let salt: Uint8Array = PATTERN;
    let key: Uint8Array = PATTERN;
    let nonce = 0;
    const mixHash = (data: Uint8Array): void => {
      hash = createHash('sha256').update(hash).update(data).digest();
    };
    const mixKey = (secret: Uint8Array): void => {
      [salt, key] = derive(secret, salt);
      nonce = 0;
    };
    const encrypt = (data: Uint8Array): Uint8Array => {
      const out = seal(key, nonce++, hash, data);
      mixHash(out);
      return out;
    };
    const decrypt = (data: Uint8Array): Uint8Array => {
      const out = open(key, nonce++, hash, data);
      mixHash(data);
      return out;
    };
    mixHash(WA_HEADER);
    mixHash(ephemeral.publicKey);
    const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.publicKey } }).finish();
    const answered = once(this.ws, 'message');
    this.ws.send(Buffer.concat([WA_HEADER, frame(hello)]));
    const [answer] = (await answered) as [Buffer];
    const server = proto.HandshakeMessage.decode(answer.subarray(3)).serverHello;
    const serverEphemeral = server?.ephemeral ?? EMPTY;
    mixHash(serverEphemeral);
    mixKey(agree(ephemeral.privateKey, serverEphemeral));
    const serverStatic = decrypt(server?.static ?? EMPTY);
    mixKey(agree(ephemeral.privateKey, serverStatic));
    decrypt(server?.payload ?? EMPTY);
    const encryptedStatic = encrypt(noiseKey.publicKey);
    mixKey(agree(noiseKey.privateKey, serverEphemeral));
    const encryptedPayload = encrypt(proto.ClientPayload.encode(payload).finish());
    [this.#send, this.#receive] = derive(EMPTY, salt);
    this.ws.on('message', (data: Buffer) => this.#take(data));
    const finish = { clientFinish: { static: encryptedStatic, payload: encryptedPayload } };
    this.ws.send(frame(proto.HandshakeMessage.encode(finish).finish()));
  }

  #take(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= 3) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < length + 3) return;
      const node = decodeStanza(open(this.#receive, this.#read++, EMPTY, this.#rest.subarray(3, length + 3)));
      this.#rest = this.#rest.subarray(length + 3);
      if (!this.isForgetful) this.received.push(node);
      this.onStanza(node);
    }
  }
}

function derive(secret: Uint8Array, salt: Uint8Array): [Uint8Array, Uint8Array] {
  const out = new Uint8Array(hkdfSync('sha256', secret, salt, EMPTY, 64));
  return [out.subarray(0, 32), out.subarray(32)];
}

function iv(counter: number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt32BE(counter, 8);
  return out;
}

function seal(key: Uint8Array, counter: number, aad: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, iv(counter));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, counter: number, aad: Uint8Array, data: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, iv(counter));
  decipher.setAAD(aad);
  decipher.setAuthTag(data.subarray(-16));
  return Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]);
}
