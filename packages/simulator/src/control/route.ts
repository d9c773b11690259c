import { Input } from '../phone/content/input.ts';
import type { ControlWorld } from './control-world.ts';

/** What a handler gets: the request, unchecked. */
export interface ControlCall {
  world: ControlWorld;
  tenant: string;
  /** Decoded parts of the path by the names in the pattern. */
  params: Record<string, string>;
  query: Record<string, string>;
  body: Input;
}

export interface ControlAnswer {
  status: number;
  /** Undefined for an empty answer. */
  body: unknown;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One line of the sandbox API: method, path (`{name}` stands for one segment), what it does. */
export type Route = [Method, string, (call: ControlCall) => Promise<ControlAnswer> | ControlAnswer];

/** A body for calls that come without one. */
export const NO_BODY = new Input({});
