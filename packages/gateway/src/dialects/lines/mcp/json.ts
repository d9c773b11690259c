/** A JSON object, as MCP carries it. */
export type Json = Record<string, unknown>;
