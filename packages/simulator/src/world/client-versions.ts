/**
 * Which versions of the client the network serves, by the last part of a version (the
 * `client_revision` of WhatsApp's own page). As at WhatsApp, a version that is on its way out can
 * no longer be linked first, and is then not let in any more.
 */
export interface ClientVersions {
  /** What the page says. */
  current: number;
  /** Older ones cannot be linked: the phone says "Couldn't link device". */
  minPairing: number;
  /** Older ones are refused at every login (405). */
  minLogin: number;
  /** Unix seconds: told after each login; null = nothing is told. */
  expiresAt: number | null;
}

export const VERSIONS_OF_TODAY: Readonly<ClientVersions> = {
  current: 1_053_500_000,
  minPairing: 0,
  minLogin: 0,
  expiresAt: null,
};

/** A page of the form of https://web.whatsapp.com/sw.js, as far as clients read it. */
export const serviceWorkerPage = ({ current }: ClientVersions): string =>
  `/*FB_PKG_DELIM*/\n\nself.__SSR_CONFIG={\\"server_revision\\":${current},\\"client_revision\\":${current},\\"tier\\":\\"\\"};\n`;
