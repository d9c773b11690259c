export { describeEngine } from './describe-engine.ts';
export { MemoryStore, StoreHandle, type StoreWrite, type WriteFate } from './memory-store.ts';
export type { ConformanceNetwork, ConformancePhone, Fault, Hostility, SeenMessage, WireStanza } from './network.ts';
