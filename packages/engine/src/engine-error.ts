/** Why an engine could not do what it was asked; each code leads to one decision of the caller. */
export type EngineErrorCode =
  /** No open connection: wait for one, or refuse. */
  | 'not_connected'
  /**
   * WhatsApp refused; `serverCode` is its code (463 restricted, 479 malformed, …). Never retried by
   * itself.
   */
  | 'rejected'
  /**
   * No answer in time. A send may have reached WhatsApp: repeat it with the SAME prepared message
   * only.
   */
  | 'timeout'
  /** The phone number has no WhatsApp account. */
  | 'not_on_whatsapp'
  /** There is no such group. */
  | 'no_such_group'
  /** The line is no member of the group: it left, was removed, or never was in it. */
  | 'not_in_group'
  /** Only admins may write in this group, and the line is none. */
  | 'group_admins_only'
  /** There is no such channel. */
  | 'no_such_channel'
  /** Only admins of a channel post to it. */
  | 'channel_admins_only'
  /** The line is not paired, or is paired where it must not be. */
  | 'wrong_state'
  /** Our own storage failed: the line must stop, nothing may be acknowledged. */
  | 'store_failed'
  /**
   * The line's credentials are there and cannot be read: a new identity is never made in their
   * place.
   */
  | 'credentials_unreadable'
  /**
   * A quoted or edited message that is unknown, or one without a file where its file is asked for.
   */
  | 'unknown_message'
  /**
   * WhatsApp has the file no more, and the phone did not upload it again; or a file to be sent is
   * not on the disk.
   */
  | 'media_gone'
  /** The file that WhatsApp delivered is not the one that the message names. */
  | 'media_damaged';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** WhatsApp's own code, when it gave one. */
  readonly serverCode: number | undefined;

  constructor(code: EngineErrorCode, message: string, options: { serverCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.serverCode = options.serverCode;
  }
}
