import { writeSync } from 'node:fs';
import { createAccountFiles } from '../../src/blobs/account-files.ts';
import type { BlobSettings } from '../../src/blobs/blob-store.ts';
import { openBlobs } from '../../src/blobs/open-blobs.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createSealedBox } from '../../src/crypto/sealed-box.ts';

// Writes a file that never ends, and says how far it is. Lives until it is killed.
const [settings = '', key = '', text = '', isSealed = ''] = process.argv.slice(2);
const box = createSealedBox(Buffer.alloc(32, 1));
const files = createAccountFiles({
  blobs: openBlobs(JSON.parse(settings) as BlobSettings, systemClock),
  ring: { box: async () => box },
  sealing: () => (isSealed === 'sealed' ? box : undefined),
});

async function* endless(): AsyncGenerator<Uint8Array> {
  const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  for (let written = 0; ; written += piece.length) {
    yield piece;
    writeSync(1, `${written}\n`);
  }
}
await files.write(key, 'acc_a', endless());
