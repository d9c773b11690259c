// First of all: the adapter puts its hardening under the client library before anything loads it.
import { createBaileysEngine } from '@ponte/engine-baileys';
import { systemClock } from './core/clock.ts';
import { openKeyRing } from './crypto/key-ring.ts';
import { runWorkerProcess } from './lines/workers/worker-process.ts';
import { openStore } from './store/db/open.ts';
import { takeProcessLock } from './store/db/process-lock.ts';

/** The main process holds it for an instant only, while it makes sure that no older worker runs. */
const LOCK_WITHIN_MS = 5_000;

/*
 * The process that hosts lines; started by the supervisor (lines/workers/fork-worker.ts) and told everything by message. This file is a composition root: it
 * alone says which engine a line runs on.
 */
runWorkerProcess({
  clock: systemClock,
  async open(setup, log) {
    // Never released by hand: the end of the process frees it, however it ends.
    if (setup.lockFile !== null) takeProcessLock(setup.lockFile, 'shared', LOCK_WITHIN_MS);
    const store = await openStore({
      url: setup.databaseUrl,
      clock: systemClock,
      onError: (error) => log.error({ error }, 'the store reported a failure'),
    });
    const ring = await openKeyRing({ masterKey: Buffer.from(setup.masterKey), store, clock: systemClock });
    return { store, ring, factory: createBaileysEngine() };
  },
});
