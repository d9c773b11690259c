import { useState } from 'react';
import { bodyExample, bodySchema, type Operation } from '../../openapi.ts';
import { Button } from '../../parts/button.tsx';
import { CodeBlock } from '../../parts/copyable.tsx';
import { AreaField, SelectField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { SchemaField, SchemaFields } from '../../parts/schema-field.tsx';
import { number } from '../../parts/time.ts';
import { type ApiRequest, LANGUAGES, type Language, requestCode } from '../../request-code.ts';
import type { Line } from '../../shapes.ts';
import { playgroundTexts } from '../../words/playground.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

interface RequestFormProps {
  operation: Operation;
  apiKey: string;
  lines: Line[];
  /** A recipient to write to: a virtual phone. */
  phone: string | undefined;
}

type Values = Record<string, unknown>;

/** Fields that name a person to write to. */
const PEOPLE = ['to', 'phone', 'jid'];

/** What stands in a field at first, in the place of the example's made-up line and number. */
function real(name: string, example: unknown, line: Line | undefined, phone: string | undefined): unknown {
  if (line && name === 'line_id') return line.line_id;
  if (line && name === 'ref') return line.customer_ref ?? undefined;
  if (phone && PEOPLE.includes(name)) return `+${phone}`;
  if (phone && name === 'phones') return [`+${phone}`];
  return example;
}

function firstBody(operation: Operation, line: Line | undefined, phone: string | undefined): Values | undefined {
  const example = bodyExample(operation);
  if (!bodySchema(operation)) return undefined;
  return Object.fromEntries(
    Object.entries((example ?? {}) as Values).map(([name, value]) => [name, real(name, value, line, phone)]),
  );
}

/** One request: its fields, itself as code, and what came back. */
export function RequestForm({ operation, apiKey, lines, phone }: RequestFormProps) {
  const words = useWords();
  const line = lines.find(({ status }) => status === 'connected') ?? lines[0];
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(
      operation.parameters.map(({ name, in: place, required }) => [
        name,
        place === 'path' || required || name === 'line_id' ? real(name, undefined, line, phone) : undefined,
      ]),
    ),
  );
  const [body, setBody] = useState<{ value: Values | undefined; isBroken: boolean }>(() => ({
    value: firstBody(operation, line, phone),
    isBroken: false,
  }));
  const [answer, setAnswer] = useState<Answer>();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const request = requestOf(operation, values, body.value, apiKey);

  const send = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      setAnswer(await call(request));
    } catch {
      setFailure(words.noAnswer);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="grid items-start gap-6 lg:grid-cols-2">
      <Panel title={words.playground.request}>
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          {operation.parameters.map((parameter) => (
            <SchemaField
              key={parameter.name}
              name={parameter.name}
              place={parameter.in}
              schema={{ ...parameter.schema, description: parameter.description ?? parameter.schema.description }}
              required={parameter.required}
              value={values[parameter.name]}
              lines={lines}
              onChange={(value) => setValues({ ...values, [parameter.name]: value })}
            />
          ))}
          <BodyForm operation={operation} lines={lines} body={body.value} onChange={setBody} />
          <Button type="submit" look="main" busy={busy} disabled={body.isBroken || apiKey === ''}>
            {words.playground.send}
          </Button>
          {apiKey === '' ? <p className="text-sm text-muted">{words.playground.needsKey}</p> : null}
        </form>
      </Panel>
      <div className="min-w-0 space-y-6">
        <Code request={request} />
        <Panel title={words.playground.answer}>
          {failure ? <Alert>{failure}</Alert> : null}
          <div role="status">
            {answer ? (
              <p className={`mb-3 font-medium ${answer.status < 400 ? 'text-accent' : 'text-danger'}`}>
                {answer.status} · {number(answer.durationMs)} ms
              </p>
            ) : null}
          </div>
          {answer ? <CodeBlock code={answer.text} label={words.playground.answer} /> : null}
          {!answer && !failure ? <p className="text-muted">{words.playground.noAnswer}</p> : null}
        </Panel>
      </div>
    </div>
  );
}

interface BodyFormProps {
  operation: Operation;
  lines: Line[];
  body: Values | undefined;
  onChange: (body: { value: Values | undefined; isBroken: boolean }) => void;
}

/** The body by its fields, or as JSON. */
function BodyForm({ operation, lines, body, onChange }: BodyFormProps) {
  const words = useWords();
  const texts = useTexts(playgroundTexts);
  const [way, setWay] = useState<'form' | 'json'>('form');
  const [text, setText] = useState('');
  const schema = bodySchema(operation);
  if (!schema) return null;
  const parsed = parse(text);
  const turn = (next: 'form' | 'json') => {
    if (next === 'json') setText(JSON.stringify(body ?? {}, null, 2));
    else if (parsed.isBroken) return;
    setWay(next);
  };
  return (
    <>
      <fieldset className="flex rounded-lg bg-inset p-1">
        <legend className="sr-only">{texts.how}</legend>
        {(['form', 'json'] as const).map((one) => (
          <label
            key={one}
            className={`flex-1 cursor-pointer rounded-md px-3 py-1 text-center text-sm font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent ${
              way === one ? 'bg-panel shadow-sm' : 'text-muted'
            }`}
          >
            <input type="radio" name="how" className="sr-only" checked={way === one} onChange={() => turn(one)} />
            {texts[one]}
          </label>
        ))}
      </fieldset>
      {way === 'form' ? (
        <SchemaFields
          schema={schema}
          value={body ?? {}}
          lines={lines}
          onChange={(value) => onChange({ value: value ?? {}, isBroken: false })}
        />
      ) : (
        <AreaField
          label={words.playground.body}
          value={text}
          rows={Math.min(20, Math.max(6, text.split('\n').length + 1))}
          spellCheck={false}
          className="font-mono text-sm"
          error={parsed.isBroken ? words.playground.notJson : undefined}
          onChange={(event) => {
            setText(event.target.value);
            onChange(parse(event.target.value));
          }}
        />
      )}
    </>
  );
}

function Code({ request }: { request: ApiRequest }) {
  const words = useWords();
  const [language, setLanguage] = useState<Language>('curl');
  return (
    <Panel
      title={words.playground.code}
      actions={
        <div className="w-36">
          <SelectField
            label={words.playground.language}
            hideLabel
            value={language}
            onChange={(event) => setLanguage(event.target.value as Language)}
          >
            {Object.entries(LANGUAGES).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </SelectField>
        </div>
      }
    >
      <CodeBlock code={requestCode(language, request)} label={words.playground.code} />
    </Panel>
  );
}

function parse(text: string): { value: Values | undefined; isBroken: boolean } {
  if (text.trim() === '') return { value: undefined, isBroken: false };
  try {
    return { value: JSON.parse(text) as Values, isBroken: false };
  } catch {
    return { value: undefined, isBroken: true };
  }
}

function requestOf(operation: Operation, values: Values, body: unknown, apiKey: string): ApiRequest {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = { Authorization: `Bearer ${apiKey || 'wzb_test_…'}` };
  for (const parameter of operation.parameters) {
    const value = values[parameter.name];
    const text = value === undefined ? '' : Array.isArray(value) ? value.join(',') : String(value);
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(text));
    else if (text === '') continue;
    else if (parameter.in === 'query') query.set(parameter.name, text);
    else headers[parameter.name] = text;
  }
  const hasBody = operation.requestBody !== undefined && body !== undefined;
  if (hasBody) headers['Content-Type'] = 'application/json';
  const search = query.size > 0 ? `?${query}` : '';
  return { method: operation.method, url: location.origin + path + search, headers, body: hasBody ? body : undefined };
}

interface Answer {
  status: number;
  durationMs: number;
  text: string;
}

const TIMEOUT_MS = 70_000;

async function call(request: ApiRequest): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
    credentials: 'omit',
  });
  const text = await readAnswer(response);
  return { status: response.status, durationMs: Math.round(performance.now() - started), text };
}

/** JSON laid out; text as it is; anything else by its size. */
async function readAnswer(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? '';
  if (!/json|text|xml/.test(type)) return `${type} (${(await response.blob()).size} B)`;
  const text = await response.text();
  if (!type.includes('json') || text === '') return text;
  return JSON.stringify(JSON.parse(text), null, 2);
}
