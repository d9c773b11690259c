/**
 * WhatsApp itself: its WebSocket, and the key its certificates lead to (the values Baileys
 * 7.0.0-rc14 ships, proved by a test). In a module of its own, so that a process that hosts no line
 * can name the place without loading the client library.
 */
export const DEFAULT_ENDPOINT: Readonly<{ wsUrl: string; noiseRoot: Uint8Array }> = Object.freeze({
  wsUrl: 'wss://web.whatsapp.com/ws/chat',
  noiseRoot: Uint8Array.from(Buffer.from('142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b', 'hex')),
});

/** The version of WhatsApp Web that this client library was made for (the same test proves it). */
export const BUILT_IN_VERSION: readonly [number, number, number] = [2, 3000, 1043857760];
