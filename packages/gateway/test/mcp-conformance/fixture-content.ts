import {
  acceptedContent,
  inputRequired,
  type McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { PNG } from './fixture-tools.ts';

/**
 * Resources and prompts that the suite's scenarios read by name, and the requests that are answered
 * with nothing.
 */
export function addFixtureContent(server: McpServer): void {
  const textual = (name: string) =>
    server.registerResource(name, `test://${name}`, { mimeType: 'text/plain' }, (uri) => ({
      contents: [{ uri: uri.href, mimeType: 'text/plain', text: `This is the content of ${name}.` }],
    }));
  textual('static-text');
  textual('watched-resource');
  server.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'image/png', blob: PNG }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }],
    }),
  );
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  addPrompts(server);
}

function addPrompts(server: McpServer): void {
  const said = (...texts: string[]) => ({
    messages: texts.map((text) => ({ role: 'user' as const, content: { type: 'text' as const, text } })),
  });
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, () => said('A simple prompt.'));
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With arguments', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => said(`arg1='${arg1}', arg2='${arg2}'`),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => ({
      messages: [
        { role: 'user', content: { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'embedded' } } },
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => ({
    messages: [{ role: 'user', content: { type: 'image', data: PNG, mimeType: 'image/png' } }],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, (context) => {
    // Without a schema for arguments the request's context is the only parameter.
    const { inputResponses } = (context as unknown as ServerContext).mcpReq;
    const given = acceptedContent(inputResponses, 'user_context')?.context;
    if (typeof given === 'string') return said(`Use this context: ${given}`);
    const requestedSchema = {
      type: 'object',
      properties: { context: { type: 'string' } },
      required: ['context'],
    } as const;
    const user_context = inputRequired.elicit({
      message: 'What context should the prompt use?',
      requestedSchema: { ...requestedSchema, required: ['context'] },
    });
    return inputRequired({ inputRequests: { user_context } });
  });
}
