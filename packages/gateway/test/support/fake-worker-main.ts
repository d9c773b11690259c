import { openKeyRing } from '../../src/access/open-key-ring.ts';
import { systemClock } from '../../src/core/clock.ts';
import { runWorkerProcess } from '../../src/lines/workers/worker-process.ts';
import { openStore } from '../../src/store/db/open.ts';
import { type FakeEngine, FakeFactory } from './fake-engine.ts';

/**
 * A worker process whose engines misbehave on demand: asking about these "numbers" does what they
 * say.
 */
const MISDEEDS: Record<string, () => void> = {
  exit: () => process.exit(3),
  throw: () => {
    setImmediate(() => {
      throw new Error('thrown where nobody catches');
    });
  },
  reject: () => void Promise.reject(new Error('rejected where nobody hears')),
  hang: () => {
    for (;;);
  },
};

const factory = new FakeFactory();
factory.shape = (engine: FakeEngine) => {
  const lookup = engine.lookupNumbers.bind(engine);
  engine.lookupNumbers = async (phones) => {
    for (const phone of phones) MISDEEDS[phone]?.();
    return lookup(phones);
  };
  const connect = engine.connect.bind(engine);
  engine.connect = async (pairing) => {
    await connect(pairing);
    // A QR is scanned as soon as it is asked for.
    if (pairing) setImmediate(() => void engine.scan());
  };
};

runWorkerProcess({
  clock: systemClock,
  async open(setup) {
    const store = await openStore({ url: setup.databaseUrl, clock: systemClock });
    return {
      store,
      ring: await openKeyRing({ masterKey: Buffer.from(setup.masterKey), store, clock: systemClock }),
      factory,
    };
  },
});
