import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export interface AgentOptions {
  url: string;
  key: string;
  /** The header that carries the key. */
  header?: 'authorization' | 'x-bridge-key';
  /** Revision that the client speaks: that of 2026, or the ones of 2025. */
  era?: 'modern' | 'legacy';
  fetch?: typeof fetch;
}

/**
 * The official client, as an agent's program holds it. It checks every structured answer against
 * the schema its tool publishes.
 */
export async function connectAgent({ url, key, header, era = 'modern', fetch }: AgentOptions): Promise<Agent> {
  const client = new Client(
    { name: 'agent', version: '1' },
    { versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' } },
  );
  const headers: Record<string, string> =
    header === 'x-bridge-key' ? { 'x-bridge-key': key } : { authorization: `Bearer ${key}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, fetch });
  await client.connect(transport);
  return new Agent(client);
}

export class Agent {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** A call as it was answered, refusals too. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<CallToolResult> {
    return (await this.client.callTool({ name, arguments: args })) as CallToolResult;
  }

  /** The structured answer of a call that must succeed. */
  async get<T = Record<string, unknown>>(name: string, args: Record<string, unknown> = {}): Promise<T> {
    const result = await this.call(name, args);
    if (result.isError) throw new Error(`${name}: ${textOf(result)}`);
    return result.structuredContent as T;
  }

  /** The error of a call that must be refused. */
  async refused(name: string, args: Record<string, unknown> = {}): Promise<{ code: string; text: string }> {
    const result = await this.call(name, args);
    if (!result.isError) throw new Error(`${name} was not refused: ${textOf(result)}`);
    const { code } = (result._meta as { error: { code: string } }).error;
    return { code, text: textOf(result) };
  }

  async tools(): Promise<string[]> {
    return (await this.client.listTools()).tools.map(({ name }) => name);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

export const textOf = ({ content }: CallToolResult): string =>
  content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
