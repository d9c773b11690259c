import { ensureDefaultAccount } from './access/accounts.ts';
import { type ApiKeys, createApiKeys } from './access/api-keys.ts';
import { type ContentsVault, openContentsVault } from './access/contents-vault.ts';
import { masterKeyOf } from './access/master-keys.ts';
import { openKeyRing } from './access/open-key-ring.ts';
import { settleMasterKeys } from './access/rotate-master-key.ts';
import type { Config } from './config/config.ts';
import { prepareDataDir } from './config/data-dir.ts';
import { processConfig, processEnvironment } from './config/environment.ts';
import { givenMasterKey, loadMasterKey } from './config/master-key.ts';
import { makePrivateFiles, mendPermissions } from './config/private-files.ts';
import type { Environment } from './config/reader.ts';
import { systemClock } from './core/clock.ts';
import type { KeyRing } from './crypto/key-ring.ts';
import { type Log, silentLog } from './observe/logger.ts';
import { awaitServer } from './store/db/await-server.ts';
import { migrate } from './store/db/migrate.ts';
import { type OpenOptions, openStore } from './store/db/open.ts';
import type { Store } from './store/db/store.ts';
import { liveNodes } from './store/fleet/nodes.ts';
import { refuseMoving } from './store/move/refuse-moving.ts';

/** The data of this installation, opened for one command; works while the server runs. */
export interface Installation {
  config: Config;
  environment: Environment;
  store: Store;
  ring: KeyRing;
  /** Which accounts' contents are encrypted; a server starts it. */
  contents: ContentsVault;
  keys: ApiKeys;
  masterKey: Buffer;
  defaultAccountId: string;
  /** Files that others could read until now. */
  mendedFiles: string[];
  close(): Promise<void>;
}

/** What becomes of a database that does not answer yet. */
interface Patience {
  /** How long it is asked again; default: not at all. */
  waitMs?: number;
  onWait?(error: Error): void;
}

/**
 * Opens (and on the very first use creates) the installation that the environment names. `hooks`
 * as of `openStore`.
 */
export async function openInstallation(
  environment: Environment = processEnvironment(),
  config: Config = processConfig(environment),
  hooks: Pick<OpenOptions, 'onError' | 'onCommitted' | 'isOfFleet'> & Patience = {},
): Promise<Installation> {
  makePrivateFiles();
  // One that is given wrongly is told before anything is made.
  const given = givenMasterKey(environment);
  await prepareDataDir(config.dataDir);
  const mendedFiles = mendPermissions(config.dataDir);
  const masterKey = given ?? loadMasterKey(environment, config.dataDir);
  const { waitMs = 0, onWait = () => {}, ...ofStore } = hooks;
  const store = await openStore({ url: config.database.url, clock: systemClock, ...ofStore });
  try {
    await awaitServer(store, { withinMs: waitMs, clock: systemClock, onWait });
    await refuseMoving(store);
    await migrate(store, systemClock.now);
    const ring = await openKeyRing({ masterKey, store, clock: systemClock });
    const contents = await openContentsVault({ store, ring, clock: systemClock });
    return {
      config,
      environment,
      store,
      ring,
      contents,
      masterKey,
      keys: createApiKeys({ store, ring, clock: systemClock, log: silentLog }),
      mendedFiles,
      defaultAccountId: await ensureDefaultAccount(store, systemClock),
      async close() {
        await contents.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * To be called by a gateway that holds the database, before it starts workers: the old master key
 * opens nothing then. Of a fleet, the node that is the last to be started with the new key ends it.
 */
export async function endMasterKeyRotation({ store, masterKey, config }: Installation, log: Log): Promise<void> {
  const others = config.fleet ? await liveNodes(store.db) : [];
  if (others.some(({ masterKeyId }) => masterKeyId !== masterKeyOf(masterKey).id)) return;
  if (await settleMasterKeys({ store, clock: systemClock }, masterKey)) return;
  log.warn({}, 'started with an emergency key, or one that was rotated; "ponte keys rotate-master" makes a new one');
}
