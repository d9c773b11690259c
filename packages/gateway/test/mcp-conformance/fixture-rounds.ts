import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type createRequestStateCodec,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

type State = ReturnType<typeof createRequestStateCodec<Record<string, unknown>>>;
type Answer = CallToolResult | InputRequiredResult;
type Run = (req: ServerContext['mcpReq']) => Answer | Promise<Answer>;

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const ask = (message: string, field: string, type: 'string' | 'boolean') =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [field]: type === 'string' ? { type } : { type } },
      required: [field],
    },
  });
const askName = () => ask('What is your name?', 'name', 'string');
const askModel = (question: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens: 50,
  });
const accepted = (req: ServerContext['mcpReq'], key: string, field: string): unknown =>
  acceptedContent(req.inputResponses, key)?.[field];

/**
 * Tools that need an answer of the client before theirs (2026-07-28: results that ask for input,
 * state that travels with them).
 */
export function addFixtureRounds(server: McpServer, state: State): void {
  const add = (name: string, run: Run) =>
    server.registerTool(name, { description: `Fixture ${name}`, inputSchema: z.object({}) }, (_, ctx) =>
      run(ctx.mcpReq),
    );
  addOneRound(add);
  addCapabilities(add);
  addStates(add, state);
}

function addOneRound(add: (name: string, run: Run) => unknown): void {
  add('test_input_required_result_elicitation', (req) => {
    const name = accepted(req, 'user_name', 'name');
    return typeof name === 'string'
      ? text(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askName() } });
  });
  add('test_input_required_result_sampling', (req) => {
    const answer = req.inputResponses?.capital_question;
    return answer === undefined
      ? inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?') } })
      : text(`Sampling response: ${JSON.stringify(answer)}`);
  });
  add('test_input_required_result_list_roots', (req) => {
    const answer = req.inputResponses?.client_roots;
    return answer === undefined
      ? inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
      : text(`Roots: ${JSON.stringify(answer)}`);
  });
}

function addCapabilities(add: (name: string, run: Run) => unknown): void {
  add('test_missing_capability', (req) =>
    req.inputResponses?.llm_answer === undefined
      ? inputRequired({ inputRequests: { llm_answer: askModel('Say pong') } })
      : text('answered'),
  );
  add('test_input_required_result_capabilities', (req) => {
    if (req.inputResponses !== undefined) return text('answered');
    const envelope = req.envelope as Record<string, unknown> | undefined;
    const declared = envelope?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined;
    const inputRequests: InputRequests = {};
    if (declared?.elicitation !== undefined) inputRequests.user_name = askName();
    if (declared?.sampling !== undefined) inputRequests.greeting = askModel('Greet');
    if (declared?.roots !== undefined) inputRequests.client_roots = inputRequired.listRoots();
    return Object.keys(inputRequests).length === 0 ? text('nothing to ask') : inputRequired({ inputRequests });
  });
}

function addStates(add: (name: string, run: Run) => unknown, state: State): void {
  const mint = (facts: Record<string, unknown>) => state.mint({ ...facts, nonce: crypto.randomUUID() });
  const confirm = async (tool: string) =>
    inputRequired({
      inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') },
      requestState: await mint({ tool }),
    });
  for (const [name, done] of [
    ['test_input_required_result_request_state', 'state-ok'],
    ['test_input_required_result_tampered_state', 'integrity-ok'],
  ] as const) {
    add(name, (req) =>
      req.requestState() !== undefined && acceptedContent(req.inputResponses, 'confirm') ? text(done) : confirm(name),
    );
  }
  add('test_input_required_result_multiple_inputs', async (req) => {
    const { greeting, client_roots: roots } = req.inputResponses ?? {};
    const name = accepted(req, 'user_name', 'name');
    if (typeof name === 'string' && greeting && roots) return text(`Hello, ${name}`);
    return inputRequired({
      inputRequests: {
        user_name: askName(),
        greeting: askModel('Generate a greeting'),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await mint({ tool: 'multiple_inputs' }),
    });
  });
  add('test_input_required_result_multi_round', async (req) => {
    const round = Number(req.requestState<Record<string, unknown>>()?.round ?? 0);
    if (round === 2) return text(`Done: ${String(accepted(req, 'step2', 'color'))}`);
    return inputRequired({
      inputRequests:
        round === 0
          ? { step1: ask('Step 1: What is your name?', 'name', 'string') }
          : { step2: ask('Step 2: What is your favorite color?', 'color', 'string') },
      requestState: await mint({ tool: 'multi_round', round: round + 1 }),
    });
  });
}
