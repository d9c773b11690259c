import { personJid, type Self } from '@ponte/engine';
import type { AuthenticationCreds } from './baileys.ts';
import { isPaired } from './store/credentials.ts';

/** Who the credentials belong to; undefined before the pairing. */
export function selfOf(creds: AuthenticationCreds): Self | undefined {
  if (!isPaired(creds)) return undefined;
  const { id, lid, name } = creds.me;
  return { pn: personJid(id), ...(lid ? { lid: personJid(lid) } : {}), name: name ?? '' };
}
