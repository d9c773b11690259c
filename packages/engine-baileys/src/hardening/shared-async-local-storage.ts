import * as asyncHooks from 'node:async_hooks';
import { createRequire, syncBuiltinESMExports } from 'node:module';

/**
 * One real AsyncLocalStorage behind any number of instances.
 *
 * Up to Node 23 every AsyncLocalStorage that ever ran is an entry of a process-wide list through
 * which each new promise loops, and Baileys makes one per socket (lib/Utils/auth-utils.js
 * addTransactionCapability) that it never disables: the cost of each message grows with the number
 * of sockets, living and dead (0.9 → 3.4 ms CPU per received message with 200 idle sockets, Node
 * 20). Here the list has one entry; its value is an immutable map from instance to that instance's
 * store.
 *
 * Same behaviour as node's class, `enterWith`, `exit`, `disable`, `bind` and `snapshot` included.
 * An instance that nobody holds any more costs nothing.
 */
const RealAsyncLocalStorage = asyncHooks.AsyncLocalStorage;

type Stores = ReadonlyMap<object, unknown>;
const shared = new RealAsyncLocalStorage<Stores>();

export class SharedAsyncLocalStorage<T> {
  static readonly bind = RealAsyncLocalStorage.bind;
  static readonly snapshot = RealAsyncLocalStorage.snapshot;

  #isEnabled = false;

  run<R, A extends unknown[]>(store: T, callback: (...args: A) => R, ...args: A): R {
    this.#isEnabled = true;
    return shared.run(this.#with(store), callback, ...args);
  }

  exit<R, A extends unknown[]>(callback: (...args: A) => R, ...args: A): R {
    return shared.run(this.#without(), callback, ...args);
  }

  enterWith(store: T): void {
    this.#isEnabled = true;
    shared.enterWith(this.#with(store));
  }

  getStore(): T | undefined {
    if (!this.#isEnabled) return undefined;
    // The map holds under this instance only what its own run and enterWith put there.
    return shared.getStore()?.get(this) as T | undefined;
  }

  /**
   * No store until the next run or enterWith; after that the contexts from before have theirs
   * again, as in node's class.
   */
  disable(): void {
    this.#isEnabled = false;
  }

  #with(store: T): Stores {
    return new Map(shared.getStore()).set(this, store);
  }

  #without(): Stores {
    const stores = new Map(shared.getStore());
    stores.delete(this);
    return stores;
  }
}

/**
 * The first major version whose AsyncLocalStorage costs nothing per instance (AsyncContextFrame).
 */
const FREE_SINCE_NODE = 24;

/** True where this Node needs the shared storage. */
export function needsSharedStorage(nodeVersion: string = process.versions.node): boolean {
  return Number.parseInt(nodeVersion, 10) < FREE_SINCE_NODE;
}

/**
 * Makes `AsyncLocalStorage` of node:async_hooks the shared one, for every module that creates an
 * instance after this call, whether it imports or requires it. Existing instances stay as they are.
 * Does nothing on Node 24 and later.
 */
export function shareAsyncLocalStorage(): void {
  if (!needsSharedStorage()) return;
  const writable: { AsyncLocalStorage: unknown } = createRequire(import.meta.url)('node:async_hooks');
  writable.AsyncLocalStorage = SharedAsyncLocalStorage;
  syncBuiltinESMExports();
}
