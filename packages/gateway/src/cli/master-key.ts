import { addEmergencyKey, removeEmergencyKeys, rotateMasterKey } from '../access/rotate-master-key.ts';
import { isOwnMasterKey, nextOwnKey, promoteNextKey, readMasterKeyFile } from '../config/master-key.ts';
import { systemClock } from '../core/clock.ts';
import type { Installation } from '../installation.ts';
import { type Output, print, UsageError } from './output.ts';

const deps = ({ store }: Installation) => ({ store, clock: systemClock });

/**
 * Gives the installation another master key, while the server runs. May be cut off and begun again.
 * The old key goes on opening it until the server was restarted.
 */
export async function rotateMaster(
  at: Installation,
  options: { newKeyFile?: string; json?: boolean },
  out: Output,
): Promise<void> {
  const { environment, config, masterKey } = at;
  const isOwn = isOwnMasterKey(environment);
  if (isOwn && options.newKeyFile !== undefined) {
    throw new UsageError('--new-key-file is for keys that MASTER_KEY, MASTER_KEY_FILE or MASTER_KEY_COMMAND give');
  }
  if (!isOwn && options.newKeyFile === undefined) {
    throw new UsageError(
      'the master key is given by the environment: make the new one first (openssl rand -hex 32) and name its file with --new-key-file',
    );
  }
  const next = options.newKeyFile === undefined ? nextOwnKey(config.dataDir) : readMasterKeyFile(options.newKeyFile);
  if (next.equals(masterKey)) throw new UsageError('the new master key is the present one');
  const { rewrapped } = await rotateMasterKey(deps(at), { from: masterKey, to: next });
  const stamp = new Date(systemClock.now()).toISOString().replaceAll(':', '-');
  const kept = isOwn ? promoteNextKey(config.dataDir, stamp) : null;
  print(out, options.json, { rewrapped, kept }, () =>
    [
      `${rewrapped} data keys are wrapped by the new master key.`,
      kept === null
        ? 'Give the server the new key and restart it: from then on the old one opens nothing.'
        : `Restart the server: from then on the old key opens nothing but backups made before. It is kept as ${kept}.`,
    ].join('\n'),
  );
}

/** A second key for the day when the first one is lost. */
export async function createEmergencyKey(at: Installation, options: { json?: boolean }, out: Output): Promise<void> {
  const key = await addEmergencyKey(deps(at), at.masterKey);
  print(out, options.json, { key }, () => key);
  if (!options.json) {
    out.say(
      'This is the only time the emergency key is shown. Keep it offline; started with it as MASTER_KEY, Ponte opens everything.',
    );
  }
}

export async function dropEmergencyKeys(at: Installation, options: { json?: boolean }, out: Output): Promise<void> {
  const removed = await removeEmergencyKeys(at);
  print(out, options.json, { removed }, () => `${removed} emergency keys open nothing any more`);
}
