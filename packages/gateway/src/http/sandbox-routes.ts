import type { Route } from './route.ts';
import { CHAT_ROWS } from './sandbox/chat-rows.ts';
import { GROUP_ROWS } from './sandbox/group-rows.ts';
import { LINE_ROWS } from './sandbox/line-rows.ts';
import { MESSAGE_ROWS } from './sandbox/message-rows.ts';
import { PHONE_ROWS } from './sandbox/phone-rows.ts';
import { type Forwards, toRoutes } from './sandbox/row.ts';

/**
 * What the sandbox takes: every call that the simulator serves. Bodies are checked by the
 * simulator; the schemas here describe them.
 */
export function sandboxRoutes(to: Forwards, maxBodyBytes: number): Route[] {
  const rows = [...PHONE_ROWS, ...MESSAGE_ROWS, ...CHAT_ROWS, ...GROUP_ROWS, ...LINE_ROWS];
  return toRoutes(rows, to, maxBodyBytes);
}
