import { ConfigError, type Reader } from './reader.ts';

/** The simulated network of test lines. */
export interface SandboxSettings {
  isOn: boolean;
  isEphemeral: boolean;
  /** One that runs elsewhere; undefined: one of our own. */
  shared: { url: string; token: string } | undefined;
}

const MIN_TOKEN = 24;
const VISIBLE = /^[\x21-\x7e]+$/;

/** Throws ConfigError. */
export function sandboxOf(read: Reader, isFleet: boolean): SandboxSettings {
  const shared = sharedOf(read);
  const isOn = read.flag('SANDBOX', !isFleet || shared !== undefined);
  if (isOn && isFleet && !shared) {
    throw new ConfigError(
      'SANDBOX is on, but the nodes of a fleet share one simulated network: set SANDBOX_URL to it ("ponte sandbox" runs one), or SANDBOX to off',
    );
  }
  return { isOn, isEphemeral: read.flag('SANDBOX_EPHEMERAL', false), shared };
}

function sharedOf(read: Reader): SandboxSettings['shared'] {
  const given = read.text('SANDBOX_URL');
  const token = sandboxTokenOf(read);
  if (given === undefined && token === undefined) return undefined;
  if (given === undefined) throw new ConfigError('SANDBOX_TOKEN is set without SANDBOX_URL; set both, or neither');
  const url = given.replace(/\/$/, '');
  if (!/^https?:\/\/[^/?#@\s]+$/.test(url) || !URL.canParse(url)) {
    throw read.wrong('SANDBOX_URL', 'an address without a path, such as http://sandbox:8098');
  }
  if (token === undefined) throw new ConfigError('SANDBOX_URL is set without SANDBOX_TOKEN; set both, or neither');
  return { url, token };
}

/** The token of a simulated network; undefined when there is none. Throws ConfigError. */
export function sandboxTokenOf(read: Reader): string | undefined {
  const token = read.text('SANDBOX_TOKEN');
  if (token === undefined || (token.length >= MIN_TOKEN && VISIBLE.test(token))) return token;
  // The value is a secret: it is not repeated.
  throw new ConfigError(
    `SANDBOX_TOKEN is not one this version takes: it takes ${MIN_TOKEN} or more visible characters without spaces`,
  );
}
