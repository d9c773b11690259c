/**
 * Why Signal could not encrypt or decrypt. `duplicate` = this very ciphertext was decrypted before.
 */
export type SignalFailure =
  | 'no_session'
  | 'no_sender_key'
  | 'missing_prekey'
  | 'bad_signature'
  | 'bad_mac'
  | 'duplicate'
  | 'too_far_ahead'
  | 'malformed';

const REASONS: Record<SignalFailure, string> = {
  no_session: 'there is no session with this address; fetch its key bundle first',
  no_sender_key: 'the sender key of this group member is unknown; its distribution message has not arrived',
  missing_prekey: 'the message names a pre-key that this device does not have (any more)',
  bad_signature: 'the signature is not valid',
  bad_mac: 'no session of this address fits the message',
  duplicate: 'this message was decrypted before',
  too_far_ahead: 'the message counter is too far ahead of the last known one',
  malformed: 'the bytes are no Signal message of version 3',
};

/** An outcome of Signal that a peer can cause. State is unchanged when it is thrown. */
export class SignalError extends Error {
  override readonly name = 'SignalError';
  readonly reason: SignalFailure;

  constructor(reason: SignalFailure, options?: ErrorOptions) {
    super(REASONS[reason], options);
    this.reason = reason;
  }
}
