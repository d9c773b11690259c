import type { Clock } from '../core/clock.ts';
import { CONTENTS_GRACE_MS, CONTENTS_LOOK_MS, type ContentsState } from '../core/contents.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { SealedBox } from '../crypto/sealed-box.ts';
import type { Log } from '../observe/logger.ts';
import { changeContents, listContents, rewriteContents } from '../store/access/contents-rows.ts';
import type { Store } from '../store/db/store.ts';

/** Seals what there is of an account's files. */
export type SealFiles = (accountId: string) => Promise<void>;

/** Keeps a process's knowledge of which accounts have their contents encrypted up to date. */
export interface ContentsVault {
  /** Asks the database now. */
  refresh(): Promise<void>;
  /**
   * Asks it again and again. While `changes`, it also does the work of those that are on their way:
   * of all processes one at a time.
   */
  start(options: { log: Log; changes: () => boolean; sealFiles?: SealFiles }): void;
  close(): Promise<void>;
}

interface Known {
  box: SealedBox;
  state: ContentsState;
  since: number;
}

/**
 * Loads the keys of the accounts whose contents are encrypted, so that the store can read them. One
 * per process and store; without `start` it stays as it was when it was opened, as is enough for a
 * command.
 */
export async function openContentsVault(deps: { store: Store; ring: KeyRing; clock: Clock }): Promise<ContentsVault> {
  const { store, ring, clock } = deps;
  let known = new Map<string, Known>();
  let isClosed = false;
  let cancel = () => {};
  let running: Promise<void> = Promise.resolve();

  const seals = ({ state, since }: Known) =>
    state === 'sealed' || (state === 'sealing' && clock.now() >= since + CONTENTS_GRACE_MS);

  async function refresh(): Promise<void> {
    const found = new Map<string, Known>();
    for (const { accountId, state, since } of await listContents(store.db)) {
      found.set(accountId, { box: await ring.box(accountId), state, since });
    }
    known = found;
    store.contents.use(
      found.size === 0
        ? undefined
        : {
            sealing: (accountId) => {
              const one = known.get(accountId);
              return one && seals(one) ? one.box : undefined;
            },
            opening: (accountId) => known.get(accountId)?.box,
          },
    );
  }

  /** What was there before follows; twice nothing left, a grace apart, ends it. */
  async function change(log: Log, sealFiles: SealFiles | undefined): Promise<void> {
    for (const [accountId, { state, since }] of known) {
      if (state !== 'sealing' && state !== 'opening') continue;
      if (clock.now() < since + CONTENTS_GRACE_MS) continue;
      const from = state === 'sealing' ? 'plain' : 'sealed';
      const batches = await rewriteContents(store, accountId, from, () => isClosed);
      if (batches > 0) log.info({ accountId, state, batches }, 'contents were rewritten');
      if (batches > 0 || isClosed || clock.now() < since + 2 * CONTENTS_GRACE_MS) continue;
      const to = state === 'sealing' ? 'sealed' : 'plain';
      if (to === 'sealed') await sealFiles?.(accountId);
      await changeContents(store.db, accountId, { from: [state], to, atMs: clock.now() });
      log.info({ accountId }, to === 'sealed' ? 'contents are encrypted' : 'contents are in the clear');
    }
  }

  await refresh();
  return {
    refresh,
    start({ log, changes, sealFiles }) {
      const look = async () => {
        try {
          await refresh();
          if (changes()) await change(log, sealFiles);
        } catch (error) {
          log.warn({ error }, 'which contents are encrypted could not be asked; trying again');
        }
        next();
      };
      const next = () => {
        if (isClosed) return;
        cancel = clock.after(CONTENTS_LOOK_MS, () => {
          running = look();
        });
      };
      next();
    },
    async close() {
      isClosed = true;
      cancel();
      await running;
    },
  };
}
