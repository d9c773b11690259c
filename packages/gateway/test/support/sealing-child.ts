import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import { createSealedBox } from '../../src/crypto/sealed-box.ts';
import { openStore } from '../../src/store/db/open.ts';
import { createEngineStore } from '../../src/store/engine/engine-store.ts';

// Seals one envelope after another, several lines at a time, and says each hash once its commit
// resolved. Lives until it is killed.
const [url = '', round = ''] = process.argv.slice(2);
const store = await openStore({ url, clock: systemClock });

async function sealOn(lineId: string): Promise<never> {
  const engineStore = createEngineStore({
    store,
    box: createSealedBox(Buffer.alloc(32, 1)),
    lineId,
    clock: systemClock,
  });
  for (let i = 0; ; i += 1) {
    const hash = createHash('sha256').update(`${round} ${lineId} ${i}`).digest('hex');
    const step = Buffer.from(`${round} ${i}`);
    await engineStore.commit([{ kind: 'session', id: 'peer', value: step }], {
      hash,
      stanza: step,
      encIndex: 0,
      plaintext: step,
    });
    writeSync(1, `${lineId} ${i} ${hash}\n`);
  }
}

await Promise.all(['line_0', 'line_1', 'line_2'].map(sealOn));
