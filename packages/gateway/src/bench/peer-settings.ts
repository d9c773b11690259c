/** What the bench tells the plain server, as JSON in the environment variable of this name. */
export const PLAIN_SETTINGS = 'BENCH_PLAIN_SETTINGS';

export interface PlainSettings {
  /** `ws://…/ws/chat` of the world, without the line. */
  wsUrl: string;
  noiseRootHex: string;
  webhookUrl: string;
  folder: string;
  port: number;
  key: string;
  /** Lines that were paired before: opened at once. */
  lines: string[];
}

/** What the bench tells the process of the bare engine, by message. */
export type EngineOrder =
  | { do: 'set_up'; wsUrl: string; noiseRootHex: string }
  /** A new line: answers with the text of its QR, and `open` when it was scanned. */
  | { do: 'pair'; id: string }
  | { do: 'send'; call: number; id: string; to: string; text: string };

/** What it answers. */
export type EngineReport =
  | { type: 'up' }
  | { type: 'qr'; id: string; data: string }
  | { type: 'open'; id: string }
  | { type: 'sent'; call: number; error?: string }
  | { type: 'message'; messageId: string };
