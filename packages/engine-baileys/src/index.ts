export { createBaileysEngine } from './baileys-engine.ts';
export { DEFAULT_ENDPOINT } from './endpoint.ts';
