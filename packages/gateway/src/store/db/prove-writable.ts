import type { Store } from './store.ts';

/**
 * A write that changes nothing; rejects when the store takes none. (One that only reads would lose
 * what comes in.)
 */
export async function proveWritable(store: Store, lineId: string): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.db
      .updateTable('lines')
      .set((eb) => ({ status: eb.ref('status') }))
      .where('id', '=', lineId)
      .execute();
  });
}
