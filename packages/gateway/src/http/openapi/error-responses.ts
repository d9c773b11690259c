import { AppError, ERRORS, type ErrorCode } from '../../core/app-error.ts';
import type { Dialect, Route } from '../route.ts';
import type { Json } from './components.ts';

/** Statuses that can be answered wherever a key is presented, or a session. */
const WITH_KEY = [401, 403, 429];
const ALWAYS = [429, 500, 503];
const WITH_BODY = [400, 413, 415];
/** What only commands can meet: the account, the line and WhatsApp behind it. */
const OF_ACCOUNT = [402];
const OF_LINE = [404, 409, 422, 502, 504];

/** What an operation can be refused with, by status; each names the codes of its dialect. */
export class ErrorResponses {
  readonly responses: Json = {};
  readonly schemas: Json = {};

  /** The refusals of one row, as references. */
  of(dialect: Dialect, row: Route, isOfLine: boolean): Json {
    const known = this.#formsOf(dialect);
    const may = new Set([
      ...ALWAYS,
      ...(row.auth === 'none' ? [] : WITH_KEY),
      ...(row.body ? WITH_BODY : []),
      ...(row.query || row.params ? [400] : []),
      ...(row.params ? [404] : []),
      ...(row.command === null ? [] : OF_ACCOUNT),
      ...(isOfLine || row.forward ? OF_LINE : []),
      ...(row.contentExpires ? [410] : []),
    ]);
    return Object.fromEntries(
      [...may]
        .filter((status) => known.has(status))
        .sort((a, b) => a - b)
        .map((status) => [String(status), this.#reference(dialect, status, known.get(status) ?? nothing())]),
    );
  }

  readonly #forms = new Map<string, Map<number, Forms>>();

  /** Which codes the dialect answers under which status, and in which form. */
  #formsOf(dialect: Dialect): Map<number, Forms> {
    const known = this.#forms.get(dialect.name);
    if (known) return known;
    const forms = new Map<number, Forms>();
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const { status, body } = dialect.errorAnswer(new AppError(code));
      const form = forms.get(status) ?? nothing();
      forms.set(status, form);
      const told =
        typeof body.error === 'string' ? body.error : String((body.error as { code?: unknown } | undefined)?.code);
      (typeof body.error === 'string' ? form.flat : form.envelope).add(told);
      form.examples[told] ??= { summary: code, value: body };
    }
    this.#forms.set(dialect.name, forms);
    return forms;
  }

  /** Only what an operation refers to is a component. */
  #reference(dialect: Dialect, status: number, form: Forms): Json {
    const name = nameOf(dialect, status);
    const codes = [...form.flat, ...form.envelope].sort();
    this.schemas[name] ??= schemaOf(form);
    this.responses[name] ??= {
      description: `Refused or failed: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      headers: {
        'X-Request-Id': { $ref: '#/components/headers/RequestId' },
        ...([429, 503].includes(status) ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
      },
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` }, examples: form.examples } },
    };
    return { $ref: `#/components/responses/${name}` };
  }
}

interface Forms {
  flat: Set<string>;
  envelope: Set<string>;
  /** A body of each code. */
  examples: Json;
}

const nothing = (): Forms => ({ flat: new Set(), envelope: new Set(), examples: {} });

const nameOf = ({ name }: Dialect, status: number): string => `${name[0]?.toUpperCase()}${name.slice(1)}Error${status}`;

const sentence = { type: 'string', description: 'A sentence that says what happened and what to do.' };

function schemaOf({ flat, envelope }: Forms): Json {
  const forms = [...(flat.size > 0 ? [flatForm(flat)] : []), ...(envelope.size > 0 ? [envelopeForm(envelope)] : [])];
  return forms.length === 1 && forms[0] ? forms[0] : { oneOf: forms };
}

const flatForm = (codes: Set<string>): Json => ({
  type: 'object',
  properties: {
    error: { type: 'string', enum: [...codes].sort(), description: 'The code.' },
    message: sentence,
    ...(codes.has('validation_error')
      ? {
          details: {
            type: 'array',
            description: 'Which members are wrong, and why.',
            items: {
              type: 'object',
              properties: {
                path: { type: 'string', description: 'The member; empty for the whole body.', examples: ['to'] },
                message: sentence,
              },
              required: ['path', 'message'],
            },
          },
        }
      : {}),
  },
  required: ['error', 'message'],
});

const envelopeForm = (codes: Set<string>): Json => ({
  type: 'object',
  properties: {
    ok: { type: 'boolean', const: false, description: 'False: the call did not succeed.' },
    error: {
      type: 'object',
      description: 'What went wrong.',
      properties: {
        code: { type: 'string', enum: [...codes].sort(), description: 'The code.' },
        message: sentence,
        retryable: { type: 'boolean', description: 'True: the same request may succeed later.' },
      },
      required: ['code', 'message', 'retryable'],
    },
  },
  required: ['ok', 'error'],
});
