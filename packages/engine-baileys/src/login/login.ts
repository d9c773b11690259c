import { formatJid, type Node, parseJid, SERVER_LID } from '@ponte/engine';
import type { AuthenticationCreds, WASocket } from '../baileys.ts';
import { describeError } from '../library-log.ts';
import type { PreKeys } from './pre-keys.ts';

export interface LoginParts {
  sock: WASocket;
  creds: AuthenticationCreds;
  preKeys: PreKeys;
  updateCreds(update: Partial<AuthenticationCreds>): void;
  learnSelf(): Promise<void>;
  query(node: Node): Promise<Node>;
  warn(fields: Record<string, unknown>, message: string): void;
}

/**
 * What follows `<success>`: keys are topped up, the line is made active, and Baileys is told that
 * it is open, which makes it ask for settings and block list. Replaces Baileys' own handler
 * (socket.js), whose key upload leaves timers behind. A question that stays unanswered does not
 * prevent the login; one that was never asked would.
 */
export async function completeLogin(success: Node, parts: LoginParts): Promise<void> {
  const { sock, creds, preKeys, query, updateCreds, warn } = parts;
  sock.updateServerTimeOffset(success);
  const lid = ownLid(success, creds);
  if (creds.me && lid !== undefined && lid !== creds.me.lid) updateCreds({ me: { ...creds.me, lid } });
  await parts.learnSelf();
  const steps: [string, () => Promise<unknown>][] = [
    ['pre-keys', () => preKeys.ensure()],
    ['passive', () => query(serverIq('passive', 'active'))],
    ['digest', () => preKeys.verify()],
  ];
  for (const [step, work] of steps) {
    try {
      await work();
    } catch (error) {
      warn({ step, error: describeError(error) }, 'a step of the login failed');
    }
  }
  sock.ev.emit('connection.update', { connection: 'open' });
  await sock.sendUnifiedSession();
}

/**
 * The LID of this very device: the server may leave the device out, and Baileys compares whole
 * addresses.
 */
function ownLid(success: Node, creds: AuthenticationCreds): string | undefined {
  const user = success.attrs.lid === undefined ? undefined : parseJid(success.attrs.lid)?.user;
  const device = creds.me === undefined ? 0 : (parseJid(creds.me.id)?.device ?? 0);
  return user ? formatJid(user, SERVER_LID, device) : creds.me?.lid;
}

function serverIq(xmlns: string, tag: string): Node {
  return {
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'set', xmlns },
    content: [{ tag, attrs: {} }],
  };
}
