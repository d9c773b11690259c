import type { ClientVersion } from '@ponte/engine';

/** Where a version comes from, the strongest first. */
export type VersionSource =
  /** `ponte whatsapp-version set`. */
  | 'operator'
  /** WHATSAPP_VERSION. */
  | 'environment'
  /** WhatsApp's own page. */
  | 'whatsapp'
  | 'built_in';

/** The version that live lines announce, and what is known of it. */
export interface KnownVersion {
  version: ClientVersion;
  source: VersionSource;
  /** Unix milliseconds: when WhatsApp's page last said a version; null = never. */
  fetchedAt: number | null;
  /**
   * Unix milliseconds: when WhatsApp stops taking this version, as it told a line; null = not told.
   */
  expiresAt: number | null;
  /** Why the last look at WhatsApp's page failed; null when it did not. */
  problem: string | null;
}

/** Whose servers a line talks to: WhatsApp's, or the simulated ones of an account. */
export type NetworkName = string;

export const LIVE_NETWORK: NetworkName = 'live';

export const networkOf = (line: { mode: 'live' | 'test'; accountId: string }): NetworkName =>
  line.mode === 'live' ? LIVE_NETWORK : `test:${line.accountId}`;

/** Undefined when the text is no version. */
export function parseVersion(text: string): ClientVersion | undefined {
  const parts = /^(\d{1,4})\.(\d{1,6})\.(\d{1,12})$/.exec(text.trim());
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : undefined;
}

export const formatVersion = (version: ClientVersion): string => version.join('.');

/** Negative when `a` is the older one. */
export function compareVersions(a: ClientVersion, b: ClientVersion): number {
  const at = [0, 1, 2].find((part) => a[part] !== b[part]) ?? 2;
  return (a[at] ?? 0) - (b[at] ?? 0);
}

/**
 * The version in a page of the form of https://web.whatsapp.com/sw.js: WhatsApp Web is 2.3000, and
 * `client_revision` the rest (Baileys generics.js fetchLatestWaWebVersion). Undefined when it says
 * none.
 */
export function versionOnPage(page: string): ClientVersion | undefined {
  const revision = /\\?"client_revision\\?":\s*(\d{6,12})\b/.exec(page)?.[1];
  return revision === undefined ? undefined : [2, 3000, Number(revision)];
}
