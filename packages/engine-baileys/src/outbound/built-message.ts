/**
 * A message as it goes on the wire, before the encryption: its bytes, and what the stanza says
 * beside them.
 */
export interface BuiltMessage {
  proto: Uint8Array;
  attrs: Record<string, string>;
  meta?: Record<string, string>;
}
