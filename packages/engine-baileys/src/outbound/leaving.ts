import { AsyncLocalStorage } from 'node:async_hooks';

/** What a message waits for between its encryption and the wire. */
export interface Permission {
  /** When it rejects, nothing leaves: a skipped step of a ratchet does no harm. */
  given: Promise<void>;
  /**
   * Whose encryption does not wait: the line's own devices get a copy of every message, and one
   * that waits would hold up all others. The stanza waits for the recipient's.
   */
  isOwn(jid: string): boolean;
}

const current = new AsyncLocalStorage<Permission>();

/** Sends under a permission: encrypted meanwhile, the stanza leaves only once it is given. */
export const leavingWith = <T>(permission: Permission, send: () => Promise<T>): Promise<T> =>
  current.run(permission, send);

/** To be awaited between a durable ratchet for this device and its stanza. */
export function permissionFor(jid: string): Promise<void> | undefined {
  const permission = current.getStore();
  return permission?.isOwn(jid) ? undefined : permission?.given;
}
