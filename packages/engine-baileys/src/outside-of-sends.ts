import { AsyncResource } from 'node:async_hooks';
import type { EngineOptions } from '@ponte/engine';

/**
 * The options with an `onChange` that runs in the async context of now. A send may be what ends a
 * connection: what the line then does, connecting anew above all, must not run inside that send's
 * own contexts (device-cache.ts, leaving.ts), which would reach everything from then on.
 */
export const outsideOfSends = (options: EngineOptions): EngineOptions => ({
  ...options,
  onChange: AsyncResource.bind(options.onChange),
});
