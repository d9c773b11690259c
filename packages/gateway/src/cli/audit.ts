import { createAudit } from '../access/console-audit.ts';
import { systemClock } from '../core/clock.ts';
import type { Installation } from '../installation.ts';
import { CommandFailed, type Output, print } from './output.ts';

/** Follows the chain of the audit log; fails when an entry was changed, put in or taken out. */
export async function verifyAudit(
  at: Installation,
  options: { expect?: string; json?: boolean },
  out: Output,
): Promise<void> {
  const { store, ring } = at;
  const proof = await createAudit({ store, ring, clock: systemClock }).verify();
  const { sealed, unsealed, head, brokenAt } = proof;
  const isExpected = options.expect === undefined || options.expect === head;
  const view = { ok: brokenAt === null && isExpected, sealed, unsealed, head, broken_at: brokenAt };
  print(out, options.json, view, () =>
    [
      `${sealed} entries are sealed${unsealed > 0 ? `, ${unsealed} are from before there were seals` : ''}`,
      `newest seal: ${head === '' ? 'none yet' : head}`,
    ].join('\n'),
  );
  if (brokenAt !== null) {
    throw new CommandFailed(
      `the audit log was changed: entry ${brokenAt} does not follow from those before it, or what came after it is missing`,
    );
  }
  if (!isExpected)
    throw new CommandFailed('the newest seal is not the expected one: entries came since, or were taken out');
}
