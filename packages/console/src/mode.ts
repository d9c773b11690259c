import { kept } from './kept.ts';

/**
 * Test lines live on the simulated network, live ones on WhatsApp. A page shows one of the two
 * worlds.
 */
export type Mode = 'test' | 'live';

export const mode = kept<Mode>('mode', ['test', 'live'], () => 'test');
