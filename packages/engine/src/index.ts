export * from './address.ts';
export * from './node.ts';
