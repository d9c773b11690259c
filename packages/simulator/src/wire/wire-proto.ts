import { proto as untyped } from 'zapo-js/proto';
import { decodeBinaryNode as decodeUntyped } from 'zapo-js/transport';

/**
 * The typed door to the codecs of zapo-js 0.3.0, whose own declarations do not resolve under Node's
 * rules for ES modules (everything would be `any`). Declared here is what the wire reads or writes;
 * protobuf fields are absent or null when unset.
 */
type Maybe<T> = T | null | undefined;
/** int64 fields come back as number-like objects; use Number() or String(). */
type Int64 = number | { toString(): string };

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  /** Throws for bytes that are no such message. */
  decode(bytes: Uint8Array): T;
}

export interface NoiseCertificate {
  details?: Maybe<Uint8Array>;
  signature?: Maybe<Uint8Array>;
}

export interface CertificateDetails {
  serial?: Maybe<number>;
  issuerSerial?: Maybe<number>;
  key?: Maybe<Uint8Array>;
  notBefore?: Maybe<Int64>;
  notAfter?: Maybe<Int64>;
}

export interface HandshakeMessage {
  clientHello?: Maybe<{ ephemeral?: Maybe<Uint8Array> }>;
  serverHello?: Maybe<{ ephemeral?: Maybe<Uint8Array>; static?: Maybe<Uint8Array>; payload?: Maybe<Uint8Array> }>;
  clientFinish?: Maybe<{ static?: Maybe<Uint8Array>; payload?: Maybe<Uint8Array> }>;
}

/** What a client says of itself at the end of the handshake. */
export interface ClientPayload {
  /** Digits of the phone number; absent before pairing. */
  username?: Maybe<Int64>;
  device?: Maybe<number>;
  /** The client wants nothing before it says that it is active. */
  passive?: Maybe<boolean>;
  /** How often the device has logged in. */
  lc?: Maybe<number>;
  userAgent?: Maybe<{ appVersion?: Maybe<{ tertiary?: Maybe<number> }> }>;
  devicePairingData?: Maybe<{
    eRegid?: Maybe<Uint8Array>;
    eIdent?: Maybe<Uint8Array>;
    eSkeyId?: Maybe<Uint8Array>;
    eSkeyVal?: Maybe<Uint8Array>;
    eSkeySig?: Maybe<Uint8Array>;
    deviceProps?: Maybe<Uint8Array>;
  }>;
}

interface Library {
  CertChain: Codec<{ leaf?: Maybe<NoiseCertificate>; intermediate?: Maybe<NoiseCertificate> }> & {
    NoiseCertificate: { Details: Codec<CertificateDetails> };
  };
  HandshakeMessage: Codec<HandshakeMessage>;
  ClientPayload: Codec<ClientPayload>;
  DeviceProps: Codec<{
    os?: Maybe<string>;
    version?: Maybe<{ primary?: Maybe<number>; secondary?: Maybe<number>; tertiary?: Maybe<number> }>;
    platformType?: Maybe<number>;
  }>;
}

const library: unknown = untyped;
export const proto = library as Library;

/** A stanza as the library decodes it. */
export interface DecodedNode {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly content?: Uint8Array | string | readonly DecodedNode[];
}

/**
 * Without the flag byte and not compressed. Throws, with whatever error, for bytes that are no
 * stanza.
 */
export const decodeBinaryNode: (data: Uint8Array) => DecodedNode = decodeUntyped;
