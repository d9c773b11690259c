import type { Envelope } from '../envelope.ts';
import type { Message } from '../wa-proto.ts';
import type { ChangeContext, ChangeKind } from './change.ts';
import { edit } from './edit.ts';
import { reaction } from './reaction.ts';
import { revoke } from './revoke.ts';
import { rsvp } from './rsvp.ts';
import { vote } from './vote.ts';

/**
 * Every kind of change a phone writes and understands. A new one is a file and a row here; edit
 * comes before revoke (both name a key).
 */
export const CHANGES = { reaction, edit, revoke, vote, rsvp } as const satisfies Record<string, ChangeKind>;

/**
 * Does to the inbox what the message says. False when the message changes nothing: it is content,
 * or of an unknown kind.
 */
export function applyChange(message: Message, envelope: Envelope, context: ChangeContext): boolean {
  return Object.values(CHANGES).some((change) => change.apply(message, envelope, context));
}
