import { executionAsyncResource, AsyncLocalStorage as RealAsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { needsSharedStorage, SharedAsyncLocalStorage } from './shared-async-local-storage.ts';

interface Storage<T> {
  run<R>(store: T, callback: () => R): R;
  exit<R>(callback: () => R): R;
  enterWith(store: T): void;
  getStore(): T | undefined;
  disable(): void;
}

/**
 * What a program sees of a storage, in an order that crosses awaits, nesting and parallel branches.
 */
async function observe(create: () => Storage<string>): Promise<unknown[]> {
  const a = create();
  const b = create();
  const seen: unknown[] = [[a.getStore(), b.getStore()]];
  await a.run('a1', async () => {
    await setImmediate();
    seen.push([a.getStore(), b.getStore()]);
    const branches = ['b1', 'b2'].map((name) =>
      b.run(name, async () => {
        await setImmediate();
        const inner = await a.run(`${name}-a2`, async () => {
          await setImmediate();
          return [a.getStore(), b.getStore()];
        });
        return [inner, a.getStore(), b.getStore(), a.exit(() => [a.getStore(), b.getStore()])];
      }),
    );
    seen.push(await Promise.all(branches), [a.getStore(), b.getStore()]);
    b.enterWith('entered');
    await setImmediate();
    seen.push([a.getStore(), b.getStore()]);
    b.disable();
    seen.push([a.getStore(), b.getStore(), b.run('again', () => b.getStore()), b.getStore()]);
  });
  seen.push([a.getStore(), b.getStore()]);
  try {
    a.run('thrown', () => {
      throw new Error('from inside');
    });
  } catch {
    seen.push(a.getStore());
  }
  return seen;
}

/** How many storages node itself propagates into the current context. */
function propagatedStores(): number {
  return Object.getOwnPropertySymbols(executionAsyncResource()).filter(
    (symbol) => symbol.description === 'kResourceStore',
  ).length;
}

function nest<T>(storages: Storage<number>[], innermost: () => T): T {
  return storages.reduceRight<() => T>((inner, storage, index) => () => storage.run(index, inner), innermost)();
}

describe('SharedAsyncLocalStorage', () => {
  it('shows the same stores as node’s own class', async () => {
    expect(await observe(() => new SharedAsyncLocalStorage<string>())).toEqual(
      await observe(() => new RealAsyncLocalStorage<string>()),
    );
  });

  it('passes arguments and results through run and exit', () => {
    const storage = new SharedAsyncLocalStorage<number>();
    expect(storage.run(1, (x: number, y: number) => x + y + (storage.getStore() ?? 0), 10, 100)).toBe(111);
    expect(storage.exit((x: number) => [x, storage.getStore()], 5)).toEqual([5, undefined]);
  });

  it('binds and snapshots the context like node’s own class', () => {
    const storage = new SharedAsyncLocalStorage<string>();
    const bound = storage.run('kept', () => SharedAsyncLocalStorage.bind(() => storage.getStore()));
    const restore = storage.run('kept', () => SharedAsyncLocalStorage.snapshot());
    expect(storage.run('other', () => [bound(), restore(() => storage.getStore()), storage.getStore()])).toEqual([
      'kept',
      'kept',
      'other',
    ]);
  });

  it.runIf(needsSharedStorage())('costs node one storage however many instances there are', async () => {
    const shared = Array.from({ length: 50 }, () => new SharedAsyncLocalStorage<number>());
    const real = Array.from({ length: 50 }, () => new RealAsyncLocalStorage<number>());
    const count = async () => {
      await setImmediate();
      return propagatedStores();
    };
    const before = await count();
    expect(await nest(shared, count)).toBeLessThanOrEqual(before + 1);
    expect(await nest(shared, async () => shared.map((storage) => storage.getStore()))).toEqual(
      shared.map((_, i) => i),
    );
    expect(await nest(real, count)).toBeGreaterThanOrEqual(50);
    for (const storage of real) storage.disable();
  });

  it('is needed before Node 24 only', () => {
    expect(['20.19.0', '22.23.3', '23.1.0', '24.0.0', '26.1.0'].map(needsSharedStorage)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
