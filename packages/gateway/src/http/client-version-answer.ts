import { z } from 'zod';
import { formatVersion, type KnownVersion } from '../core/client-version.ts';

export const clientVersionSchema = z.object({
  version: z.string(),
  source: z.enum(['operator', 'environment', 'whatsapp', 'built_in']),
  fetched_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  problem: z.string().nullable(),
});

const rfc3339 = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The version that live lines announce, as health and console show it. */
export const clientVersionAnswer = (of: KnownVersion) => ({
  version: formatVersion(of.version),
  source: of.source,
  fetched_at: rfc3339(of.fetchedAt),
  expires_at: rfc3339(of.expiresAt),
  problem: of.problem,
});
