export * from './address.ts';
export * from './content.ts';
export * from './engine.ts';
export * from './engine-error.ts';
export * from './engine-store.ts';
export * from './events.ts';
export * from './node.ts';
