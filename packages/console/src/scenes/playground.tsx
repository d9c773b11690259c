import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api.ts';
import { mode } from '../mode.ts';
import {
  type Api,
  bodyExample,
  bodySchema,
  byTag,
  type Operation,
  openApiQuery,
  type Schema,
  typeOf,
} from '../openapi.ts';
import { Button } from '../parts/button.tsx';
import { CodeBlock } from '../parts/copyable.tsx';
import { Failure } from '../parts/failure.tsx';
import { AreaField, SelectField, TextField } from '../parts/field.tsx';
import { Alert, Loading, PageHead, Panel } from '../parts/layout.tsx';
import { useAction } from '../parts/use-action.ts';
import { type ApiRequest, LANGUAGES, type Language, requestCode } from '../request-code.ts';
import { useMay } from '../session.ts';
import type { Line, MadeKey } from '../shapes.ts';
import { useWords } from '../words/words.ts';
import { linesQuery } from './lines.tsx';

/** The key of this visit; never stored, so that it is gone with the page. */
let visitKey = '';

/** Every operation of the published APIs, called as an integration calls it: with a key, from this browser. */
export function Playground() {
  const words = useWords();
  const { data, error } = useQuery(openApiQuery);
  return (
    <>
      <PageHead title={words.nav.playground} lead={words.playground.lead} />
      {error ? <Failure error={error} /> : null}
      {data ? <Bench document={data} /> : error ? null : <Loading label={words.loading} />}
    </>
  );
}

function Bench({ document }: { document: Api }) {
  const words = useWords();
  const navigate = useNavigate();
  const { op } = useSearch({ from: '/inside/playground' });
  const shownMode = mode.use();
  const { data: lines } = useQuery(linesQuery(shownMode));
  const [key, setKey] = useState(visitKey);
  const operation =
    document.operations.find(({ operationId }) => operationId === (op ?? 'sendMessage')) ?? document.operations[0];
  const keep = (value: string) => {
    visitKey = value;
    setKey(value);
  };
  if (!operation) return null;
  return (
    <div className="space-y-6">
      <Panel>
        <div className="grid gap-4 md:grid-cols-2">
          <SelectField
            label={words.playground.operation}
            value={operation.operationId}
            onChange={(event) => void navigate({ to: '/playground', search: { op: event.target.value } })}
          >
            {byTag(document.operations).map(([tag, operations]) => (
              <optgroup key={tag} label={tag}>
                {operations.map((one) => (
                  <option key={one.operationId} value={one.operationId}>
                    {one.method} {one.path}
                  </option>
                ))}
              </optgroup>
            ))}
          </SelectField>
          <KeyField value={key} onChange={keep} />
        </div>
        <p className="mt-3">{operation.summary}</p>
        {operation.description ? <p className="mt-1 text-muted">{operation.description}</p> : null}
      </Panel>
      <RequestForm
        key={`${operation.operationId} ${lines === undefined}`}
        operation={operation}
        apiKey={key}
        lines={lines ?? []}
      />
    </div>
  );
}

function KeyField({ value, onChange }: { value: string; onChange: (key: string) => void }) {
  const words = useWords();
  const mayChange = useMay('developer');
  const { busy, run, error } = useAction();
  const make = () =>
    run(async () =>
      onChange((await api<MadeKey>('POST', '/keys', { name: words.playground.keyName, expires_in_days: 1 })).key),
    );
  return (
    <div>
      <div className="flex items-end gap-2">
        <div className="min-w-0 flex-1">
          <TextField
            label={words.playground.key}
            value={value}
            autoComplete="off"
            spellCheck={false}
            placeholder="wzb_test_…"
            className="font-mono"
            onChange={(event) => onChange(event.target.value.trim())}
          />
        </div>
        {mayChange ? (
          <Button busy={busy} onClick={() => void make()}>
            {words.playground.newKey}
          </Button>
        ) : null}
      </div>
      <p className="mt-1 text-sm text-muted">{words.playground.keyHint}</p>
      {error ? <Alert>{error}</Alert> : null}
    </div>
  );
}

interface Answer {
  status: number;
  durationMs: number;
  text: string;
}

const TIMEOUT_MS = 70_000;

/** What stands in a body at first: the document's example, with the first line in the place of a made-up one. */
function firstBody(operation: Operation, line: Line | undefined): string {
  const example = bodyExample(operation);
  if (example === undefined && !bodySchema(operation)) return '';
  const body: Record<string, unknown> = { ...((example ?? {}) as Record<string, unknown>) };
  if (line && 'line_id' in body) body.line_id = line.line_id;
  return JSON.stringify(body, null, 2);
}

function firstValue(name: string, line: Line | undefined): string {
  if (!line) return '';
  if (name === 'line_id') return line.line_id;
  return name === 'ref' ? (line.customer_ref ?? '') : '';
}

function RequestForm({ operation, apiKey, lines }: { operation: Operation; apiKey: string; lines: Line[] }) {
  const words = useWords();
  const line = lines.find(({ status }) => status === 'connected') ?? lines[0];
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(operation.parameters.map(({ name }) => [name, firstValue(name, line)])),
  );
  const [body, setBody] = useState(() => firstBody(operation, line));
  const [language, setLanguage] = useState<Language>('curl');
  const [answer, setAnswer] = useState<Answer>();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const schema = bodySchema(operation);
  const parsed = parse(body);
  const request = requestOf(operation, values, parsed.value, apiKey);

  const send = async () => {
    setBusy(true);
    setFailure(undefined);
    const started = performance.now();
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        credentials: 'omit',
      });
      const text = await readAnswer(response);
      setAnswer({ status: response.status, durationMs: Math.round(performance.now() - started), text });
    } catch {
      setFailure(words.noAnswer);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <Panel title={words.playground.request}>
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          {operation.parameters.map((parameter) => (
            <ParameterField
              key={parameter.name}
              {...parameter}
              value={values[parameter.name] ?? ''}
              onChange={(value) => setValues({ ...values, [parameter.name]: value })}
            />
          ))}
          {schema ? (
            <>
              <AreaField
                label={words.playground.body}
                value={body}
                rows={Math.min(16, Math.max(5, body.split('\n').length + 1))}
                spellCheck={false}
                className="font-mono text-sm"
                error={parsed.error ? words.playground.notJson : undefined}
                onChange={(event) => setBody(event.target.value)}
              />
              <BodyHelp schema={schema} />
            </>
          ) : null}
          <Button type="submit" look="main" busy={busy} disabled={parsed.error || apiKey === ''}>
            {words.playground.send}
          </Button>
          {apiKey === '' ? <p className="text-sm text-muted">{words.playground.needsKey}</p> : null}
        </form>
      </Panel>
      <div className="min-w-0 space-y-6">
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
        <Panel title={words.playground.answer}>
          {failure ? <Alert>{failure}</Alert> : null}
          <div role="status">
            {answer ? (
              <p className={`mb-3 font-medium ${answer.status < 400 ? 'text-accent' : 'text-danger'}`}>
                {answer.status} · {answer.durationMs} ms
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

function ParameterField(props: {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: Schema;
  value: string;
  onChange: (value: string) => void;
}) {
  const { name, schema, required, value, onChange, description } = props;
  const label = `${name} (${props.in})`;
  if (schema.enum) {
    return (
      <SelectField label={label} hint={description} value={value} onChange={(event) => onChange(event.target.value)}>
        {required ? null : <option value="">—</option>}
        {schema.enum.map((one) => (
          <option key={String(one)} value={String(one)}>
            {String(one)}
          </option>
        ))}
      </SelectField>
    );
  }
  return (
    <TextField
      label={label}
      hint={description ?? typeOf(schema)}
      required={required}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function BodyHelp({ schema }: { schema: Schema }) {
  const words = useWords();
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return null;
  return (
    <details className="rounded-lg border border-edge px-3 py-2">
      <summary className="text-sm font-medium">{words.playground.fields}</summary>
      <dl className="mt-2 space-y-1 text-sm">
        {fields.map(([name, field]) => (
          <div key={name}>
            <dt className="inline font-mono font-semibold">
              {name}
              {schema.required?.includes(name) ? ' *' : ''}
            </dt>{' '}
            <dd className="inline text-muted">
              {typeOf(field)}
              {field.description ? ` — ${field.description}` : ''}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function parse(text: string): { value: unknown; error: boolean } {
  if (text.trim() === '') return { value: undefined, error: false };
  try {
    return { value: JSON.parse(text), error: false };
  } catch {
    return { value: undefined, error: true };
  }
}

function requestOf(operation: Operation, values: Record<string, string>, body: unknown, apiKey: string): ApiRequest {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = { Authorization: `Bearer ${apiKey || 'wzb_test_…'}` };
  for (const parameter of operation.parameters) {
    const value = values[parameter.name] ?? '';
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value === '') continue;
    else if (parameter.in === 'query') query.set(parameter.name, value);
    else headers[parameter.name] = value;
  }
  const hasBody = operation.requestBody !== undefined && body !== undefined;
  if (hasBody) headers['Content-Type'] = 'application/json';
  const search = query.size > 0 ? `?${query}` : '';
  return { method: operation.method, url: location.origin + path + search, headers, body: hasBody ? body : undefined };
}

/** JSON laid out; text as it is; anything else by its size. */
async function readAnswer(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? '';
  if (!/json|text|xml/.test(type)) return `${type} (${(await response.blob()).size} B)`;
  const text = await response.text();
  if (!type.includes('json') || text === '') return text;
  return JSON.stringify(JSON.parse(text), null, 2);
}
