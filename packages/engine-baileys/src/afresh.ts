import { AsyncLocalStorage } from 'node:async_hooks';
import type { EngineOptions } from '@ponte/engine';

/**
 * Runs work outside every asynchronous context, as at the start of the process.
 *
 * A connection that failed in the middle of a send is made again from inside that send's context,
 * and a message that waited for another leaves from inside the other's: what a context says of one
 * send (its permission, the devices it was told of) must not reach what comes after it.
 */
export const afresh = AsyncLocalStorage.snapshot();

/** A send may be what ends a connection: what the line then does is no part of that send. */
export const toldAfresh = (options: EngineOptions): EngineOptions => ({
  ...options,
  onChange: (change) => afresh(options.onChange, change),
});
