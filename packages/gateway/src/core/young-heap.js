/**
 * How far V8's young generation may grow, in MiB, three times over: with its own limit of 16 every
 * process holds some 50 MB more, for no time saved that could be measured here. Readable for old
 * versions of Node: it is set before anything else is loaded.
 */
export const YOUNG_HEAP_MIB = 4;
