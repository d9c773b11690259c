import type { Route } from '../../http/route.ts';
import { CHAT_ROWS } from './chat-rows.ts';
import { GROUP_ROWS } from './group-rows.ts';
import { LINE_ROWS } from './line-rows.ts';
import { MESSAGE_ROWS } from './message-rows.ts';
import { PHONE_ROWS } from './phone-rows.ts';
import { type Forwards, toRoutes } from './row.ts';

/**
 * What the sandbox takes: every call that the simulator serves. Bodies are checked by the
 * simulator; the schemas here describe them.
 */
export function sandboxRoutes(to: Forwards, maxBodyBytes: number): Route[] {
  const rows = [...PHONE_ROWS, ...MESSAGE_ROWS, ...CHAT_ROWS, ...GROUP_ROWS, ...LINE_ROWS];
  return toRoutes(rows, to, maxBodyBytes);
}
