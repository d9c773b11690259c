import type { ListedKey } from '../access/api-keys.ts';
import { SCOPES } from '../commands/context.ts';
import { AppError } from '../core/app-error.ts';
import { systemClock } from '../core/clock.ts';
import type { Installation } from '../installation.ts';
import { listAccounts } from '../store/access/accounts.ts';
import { CommandFailed, isoTime, type Output, print, table, UsageError } from './output.ts';

const facts = (key: ListedKey) => ({
  id: key.keyId,
  name: key.keyName,
  prefix: key.keyPrefix,
  mode: key.mode,
  account: key.accountId,
  scopes: key.scopes,
  approval: key.needsApproval ? 'required' : 'none',
  line_ids: key.lines ?? null,
  networks: key.networks ?? null,
  created_at: isoTime(key.createdAt),
  last_used_at: isoTime(key.lastUsedAt),
  expires_at: isoTime(key.expiresAt),
  revoked_at: isoTime(key.revokedAt),
});

export interface CreateKeyOptions {
  mode: string;
  name: string;
  account?: string;
  scopes?: string[];
  expiresInDays?: string;
  /** What it sends waits for a person's yes. */
  approval?: boolean;
  /** Ids of the lines it is for. */
  lines?: string[];
  /** Where it may come from. */
  networks?: string[];
  json?: boolean;
}

export async function createKey(at: Installation, options: CreateKeyOptions, out: Output): Promise<void> {
  const { mode, name, scopes } = options;
  if (mode !== 'test' && mode !== 'live') throw new UsageError(`--mode is "${mode}", but it takes test or live`);
  const unknown = scopes?.find((scope) => scope !== '*' && !SCOPES.some((known) => known === scope));
  if (unknown !== undefined) throw new UsageError(`--scopes has "${unknown}", but it takes *, ${SCOPES.join(', ')}`);
  const accountId = options.account ?? at.defaultAccountId;
  const account = (await listAccounts(at.store.db)).find((one) => one.id === accountId);
  if (!account) throw new CommandFailed(`there is no account ${accountId}`);
  const expiresAt = expiryOf(options.expiresInDays);
  const needsApproval = options.approval ?? false;
  const { lines, networks } = options;
  const { id, key } = await at.keys
    .create({ accountId, mode, name, scopes, expiresAt, needsApproval, lines, networks })
    .catch((error: unknown) => {
      throw error instanceof AppError ? new UsageError(error.message) : error;
    });
  const made = {
    id,
    key,
    mode,
    name,
    account: accountId,
    scopes: scopes ?? ['*'],
    approval: needsApproval ? 'required' : 'none',
    line_ids: lines ?? null,
    networks: networks ?? null,
    expires_at: isoTime(expiresAt),
  };
  print(out, options.json, made, () => key);
  if (!options.json) out.say('This is the only time the key is shown.');
}

function expiryOf(days: string | undefined): number | null {
  if (days === undefined) return null;
  const number = Number(days);
  if (!(number > 0 && number <= 3_650)) throw new UsageError('--expires-in-days takes a number of days, 3650 at most');
  return systemClock.now() + Math.round(number * 86_400_000);
}

export async function listKeys(
  at: Installation,
  options: { account?: string; json?: boolean },
  out: Output,
): Promise<void> {
  const keys = (await at.keys.list(options.account)).map(facts);
  const rows = keys.map((k) => [
    k.id,
    k.name,
    k.prefix,
    k.mode,
    k.scopes.join(' '),
    k.last_used_at,
    k.revoked_at ?? k.expires_at,
  ]);
  print(out, options.json, { keys }, () => table(['ID', 'NAME', 'KEY', 'MODE', 'SCOPES', 'LAST USED', 'ENDS'], rows));
}

export async function revokeKey(at: Installation, id: string, options: { json?: boolean }, out: Output): Promise<void> {
  if (!(await at.keys.revoke(id))) throw new CommandFailed(`there is no key ${id}; "ponte keys list" shows the ids`);
  print(out, options.json, { id, revoked: true }, () => `${id} is revoked`);
}

export async function rotateKey(
  at: Installation,
  id: string,
  options: { graceHours: string; json?: boolean },
  out: Output,
): Promise<void> {
  const hours = Number(options.graceHours);
  if (!(hours >= 0 && hours <= 168)) throw new UsageError('--grace-hours takes a number from 0 to 168');
  const next = await at.keys.rotate(id, hours * 3_600_000);
  if (!next) throw new CommandFailed(`there is no valid key ${id}; "ponte keys list" shows the ids`);
  print(out, options.json, { id: next.id, key: next.key, replaces: id, grace_hours: hours }, () => next.key);
  if (!options.json) out.say(`This is the only time the key is shown. ${id} stays valid for ${hours} h.`);
}
