import { api } from '../api.ts';
import type { Mode } from '../mode.ts';
import type { Line } from '../shapes.ts';

/** The stream tells of changes; this is for what it lost. */
export const LOOK_EVERY_MS = 60_000;

/** The lines of one of the two worlds. */
export const linesQuery = (of: Mode) => ({
  queryKey: ['lines', of],
  queryFn: async () => (await api<{ lines: Line[] }>('GET', '/lines', undefined, of)).lines,
  refetchInterval: LOOK_EVERY_MS,
});
