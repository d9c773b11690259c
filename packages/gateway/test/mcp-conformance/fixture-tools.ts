import {
  type CallToolResult,
  fromJsonSchema,
  type McpHttpHandler,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** One red pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A sound of no length. */
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const nothing = z.object({});

/** Tools that do what the suite's scenarios expect of their names. */
export function addFixtureTools(server: McpServer, notify: McpHttpHandler['notify']): void {
  const add = (name: string, run: (ctx: ServerContext) => Promise<CallToolResult> | CallToolResult) =>
    server.registerTool(name, { description: `Fixture ${name}`, inputSchema: nothing }, (_, ctx) => run(ctx));
  addContents(add);
  add('test_error_handling', () => {
    throw new Error('This tool fails on purpose.');
  });
  add('test_tool_with_logging', async (ctx) => {
    for (const data of ['started', 'working', 'done']) {
      await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    }
    return text('logged');
  });
  add('test_logging_tool', async (ctx) => {
    await ctx.mcpReq.log('info', 'only for requests that asked for it');
    return text('logged');
  });
  add('test_tool_with_progress', async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken === undefined) return text('nobody asked for progress');
    for (const progress of [0, 50, 100]) {
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
    }
    return text(String(progressToken));
  });
  add('test_streaming_elicitation', () => text('result frames only'));
  add('test_trigger_tool_change', () => {
    notify.toolsChanged();
    return text('told');
  });
  add('test_trigger_prompt_change', () => {
    notify.promptsChanged();
    return text('told');
  });
  addSchemas(server);
}

function addContents(add: (name: string, run: () => CallToolResult) => unknown): void {
  const image = { type: 'image', data: PNG, mimeType: 'image/png' } as const;
  const resource = (uri: string, mimeType: string, value: string) =>
    ({ type: 'resource', resource: { uri, mimeType, text: value } }) as const;
  add('test_simple_text', () => text('This is a simple text response for testing.'));
  add('test_image_content', () => ({ content: [image] }));
  add('test_audio_content', () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }));
  add('test_embedded_resource', () => ({ content: [resource('test://embedded-resource', 'text/plain', 'embedded')] }));
  add('test_multiple_content_types', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
}

/** JSON Schema as written by hand: keywords that must come through as they are. */
function addSchemas(server: McpServer): void {
  // The keyword is MCP's own: schemas do not know it.
  const mirrored = { type: 'string', ...{ 'x-mcp-header': 'Region' } } as const;
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'An argument that a header repeats',
      inputSchema: fromJsonSchema<{ region?: string }>({
        type: 'object',
        properties: { region: mirrored, level: { type: 'integer' } },
      }),
    },
    ({ region }) => text(`region=${region ?? '<none>'}`),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'The vocabulary of JSON Schema 2020-12',
      inputSchema: fromJsonSchema({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: {
          address: {
            $anchor: 'addressDef',
            type: 'object',
            properties: { street: { type: 'string' }, city: { type: 'string' } },
          },
        },
        properties: {
          name: { type: 'string' },
          address: { $ref: '#/$defs/address' },
          contactMethod: { type: 'string', enum: ['phone', 'email'] },
          phone: { type: 'string' },
          email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
      }),
    },
    (args) => text(JSON.stringify(args)),
  );
}
