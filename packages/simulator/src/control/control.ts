import { Input, InputError } from '../phone/content/input.ts';
import { CALL_ROUTES } from './call-routes.ts';
import { CHANGE_ROUTES } from './change-routes.ts';
import { CHANNEL_ROUTES } from './channel-routes.ts';
import { CHAT_ROUTES } from './chat-routes.ts';
import { ControlError, errorAnswer } from './control-error.ts';
import type { ControlWorld } from './control-world.ts';
import { GROUP_ROUTES } from './group-routes.ts';
import { HISTORY_ROUTES } from './history-routes.ts';
import { LINE_ROUTES } from './line-routes.ts';
import { MESSAGE_ROUTES } from './message-routes.ts';
import { PHONE_ROUTES } from './phone-routes.ts';
import { PROFILE_ROUTES } from './profile-routes.ts';
import { type ControlAnswer, NO_BODY, type Route } from './route.ts';
import { STATUS_ROUTES } from './status-routes.ts';

export interface ControlRequest {
  tenant: string;
  method: string;
  /**
   * Path of the sandbox API without its base, still percent-encoded: `/phones/15550001111/inbox`.
   */
  path: string;
  query: Record<string, string>;
  /** Parsed JSON; undefined without a body. */
  body: unknown;
}

export interface Control {
  /**
   * Answers one call of the sandbox API. What the caller did wrong is an answer `{error, message}`;
   * it rejects only when the simulator itself fails.
   */
  handle(request: ControlRequest): Promise<ControlAnswer>;
}

/** Every call of the sandbox API. */
export const ROUTES: readonly Route[] = [
  ...PHONE_ROUTES,
  ...MESSAGE_ROUTES,
  ...CHANGE_ROUTES,
  ...CHAT_ROUTES,
  ...CHANNEL_ROUTES,
  ...GROUP_ROUTES,
  ...HISTORY_ROUTES,
  ...CALL_ROUTES,
  ...PROFILE_ROUTES,
  ...STATUS_ROUTES,
  ...LINE_ROUTES,
];

/** The calls by name, as `POST /phones/{phone}/scan`, for their documentation. */
export const SANDBOX_CALLS: readonly string[] = ROUTES.map(([method, path]) => `${method} ${path}`);

export function createControl(world: ControlWorld): Control {
  return {
    async handle(request) {
      try {
        const { route, params } = find(request);
        const body = request.body === undefined ? NO_BODY : new Input(request.body);
        return await route[2]({ world, tenant: request.tenant, params, query: request.query, body });
      } catch (error) {
        const answer = errorAnswer(error);
        if (!answer) throw error;
        return answer;
      }
    },
  };
}

function find({ method, path }: ControlRequest): { route: Route; params: Record<string, string> } {
  const matching = ROUTES.flatMap((route) => {
    const params = match(route[1], path);
    return params ? [{ route, params }] : [];
  });
  const found = matching.find(({ route }) => route[0] === method);
  if (found) return found;
  if (matching.length === 0) throw new ControlError('not_found', `the sandbox API has no ${path}`);
  const allowed = matching.map(({ route }) => route[0]).join(', ');
  throw new ControlError('method_not_allowed', `${path} takes ${allowed}, not ${method}`);
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.replace(/\/$/, '').split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const segment = given[index] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = decoded(segment);
    else if (part !== segment) return undefined;
  }
  return params;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InputError('path', `${segment} is not valid percent-encoding`);
  }
}
