/**
 * A message that the server has. `timestamp` is the one that all recipients get with it (this
 * phone's, where the server gave none), in seconds since 1970.
 */
export interface Sent {
  messageId: string;
  timestamp: number;
}

/** A message that was to be changed, quoted or answered is not in this phone's inbox. */
export class MessageNotFoundError extends Error {
  override readonly name = 'MessageNotFoundError';
}
