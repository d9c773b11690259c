import { z } from 'zod';
import { type Forward, forwardRoute, type Route, type RouteFacts } from '../../http/route.ts';
import { validationError } from '../../http/to-app-error.ts';
import { unknownMemberIssues } from '../../http/unknown-members.ts';
import { brokenTextIssues } from '../../http/well-formed.ts';

/**
 * A row of the Sandbox API: it is passed on to the simulator, which checks its body; the schemas
 * describe it.
 */
export interface SandboxRow extends Omit<RouteFacts, 'auth' | 'limit' | 'tag' | 'scope'> {
  /**
   * Rows that the gateway itself has a part in: it knows lines by their references. Default: passed
   * on as it comes.
   */
  by?: 'scan' | 'unlink';
}

export type Forwards = Record<'forward' | 'scan' | 'unlink', Forward>;

export function toRoutes(rows: readonly SandboxRow[], to: Forwards, maxBodyBytes: number): Route[] {
  return rows.map(({ by, ...facts }) => {
    const passOn = by === undefined ? to.forward : to[by];
    const forward: Forward = (request, caller) => {
      requireKnownMembers(facts.body, request.body);
      return passOn(request, caller);
    };
    const scope = facts.method === 'GET' ? 'sandbox:read' : 'sandbox:write';
    return forwardRoute({ ...facts, scope, auth: 'key', limit: 'sandbox', tag: 'World', maxBodyBytes, forward });
  });
}

/** What the simulator could not say better: misspelled members, and texts that are none. */
function requireKnownMembers(schema: z.ZodType | undefined, body: unknown): void {
  const issues = [...brokenTextIssues(body), ...unknownMemberIssues(schema, body, 'refuse')];
  if (issues.length > 0) throw validationError(issues);
}

export const ALICE = '15550001111';
export const BOB = '15550002222';
export const GROUP = '120363041234567890@g.us';
export const MESSAGE_ID = '3A5F0E7C9B1D24680ACE';
export const LINE = 'line_xxx';

export const phoneParams = z.object({ phone: z.string() });
export const lineParams = z.object({ line_id: z.string() });
export const jidParams = z.object({ jid: z.string() });

/** Phone number with country code, or a JID. */
export const person = z.string();
/** A person, or the JID of a group. */
export const chat = z.string();

export const sent = z.looseObject({ message_id: z.string(), timestamp: z.int() });
export const done = z.looseObject({ ok: z.literal(true) });
/** What a 201 of everything that is written looks like. */
export const WRITTEN = {
  201: {
    description: 'It is with the server.',
    schema: sent,
    example: { message_id: MESSAGE_ID, timestamp: 1777334400 },
  },
};
