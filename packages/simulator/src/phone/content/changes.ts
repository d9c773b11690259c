import type { Proto } from 'zapo-js/proto';
import type { Envelope } from '../envelope.ts';
import type { Inbox } from '../inbox.ts';

/** What a change may touch. */
export interface ChangeContext {
  own: { jid: string; lid: string };
  inbox: Inbox;
}

/** A message that changes another one. Returns false when the message is of another kind; a change that is not allowed is ignored. */
export type Change = (message: Proto.IMessage, envelope: Envelope, context: ChangeContext) => boolean;

/** Every kind of change a phone understands. A new one is a file and a row here. */
export const CHANGES: readonly Change[] = [];

export function applyChange(message: Proto.IMessage, envelope: Envelope, context: ChangeContext): boolean {
  return CHANGES.some((change) => change(message, envelope, context));
}
