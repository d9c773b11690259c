// First of all: the adapter puts its hardening under the client library before anything loads it.
import { createBaileysEngine } from '@ponte/engine-baileys';
import { openContentsVault } from './access/contents-vault.ts';
import { openKeyRing } from './access/open-key-ring.ts';
import { createAccountFiles } from './blobs/account-files.ts';
import { openBlobs } from './blobs/open-blobs.ts';
import { systemClock } from './core/clock.ts';
import { giveBackAfterStart } from './core/give-back.ts';
import { runWorkerProcess } from './lines/workers/worker-process.ts';
import { openSpans } from './observe/open-spans.ts';
import { holdWorkersLock } from './store/db/gateway-lock.ts';
import { openStore } from './store/db/open.ts';

/*
 * The process that hosts lines; started by the supervisor (lines/workers/fork-worker.ts) and told
 * everything by message. This file is a composition root: it alone says which engine a line runs
 * on.
 */
runWorkerProcess({
  clock: systemClock,
  async open(setup, log, metrics) {
    await holdWorkersLock(setup, {
      clock: systemClock,
      onCut: (error) => log.warn({ error }, 'the connection that marks this worker was cut; it is made again'),
      onLost: (error) => {
        log.error({ error }, 'another gateway took the database; this worker ends');
        process.exit(1);
      },
    });
    const store = await openStore({
      url: setup.databaseUrl,
      clock: systemClock,
      isOfFleet: setup.nodeId !== undefined,
      onCommitted: metrics.store.committed,
      onError: (error) => log.error({ error }, 'the store reported a failure'),
    });
    const ring = await openKeyRing({ masterKey: Buffer.from(setup.masterKey), store, clock: systemClock });
    const contents = await openContentsVault({ store, ring, clock: systemClock });
    contents.start({ log, changes: () => false });
    giveBackAfterStart(systemClock);
    const files = createAccountFiles({
      blobs: openBlobs(setup.blobs, systemClock),
      ring,
      sealing: (accountId) => store.contents.sealing(accountId),
    });
    const spans = await openSpans(setup.tracing, { process: setup.worker, version: setup.tracing?.version ?? '', log });
    return { store, ring, files, spans, factory: createBaileysEngine() };
  },
});
