import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, useState } from 'react';
import {
  type Api,
  bodyExample,
  bodySchema,
  byTag,
  type Operation,
  openApiQuery,
  type Schema,
  typeOf,
} from '../../openapi.ts';
import { CodeBlock } from '../../parts/copyable.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { Loading } from '../../parts/layout.tsx';
import { requestCode } from '../../request-code.ts';
import { useWords } from '../../words/words.ts';
import { Brand, LocaleChoice, ThemeButton } from '../shell/shell.tsx';

/**
 * The API reference, from the document this very server publishes. Needs no sign-in and no other
 * host.
 */
export function Reference() {
  const words = useWords();
  const { data, error } = useQuery(openApiQuery);
  const [filter, setFilter] = useState('');
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const operations = data?.operations.filter((one) =>
    [one.path, one.summary, one.operationId, one.tag].some((text) => text.toLowerCase().includes(wanted)),
  );
  return (
    <>
      <header className="sticky top-0 z-10 flex flex-wrap items-center justify-between gap-3 border-b border-edge bg-panel px-4 py-2">
        <Brand />
        <div className="flex items-center gap-2">
          <a href="/docs" className="text-accent underline">
            {words.nav.manual}
          </a>
          <div className="w-32">
            <LocaleChoice />
          </div>
          <ThemeButton />
        </div>
      </header>
      <div className="mx-auto grid max-w-7xl gap-8 px-4 py-8 lg:grid-cols-[17rem_minmax(0,1fr)]">
        <nav aria-label={words.nav.docs} className="hidden lg:block">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard */}
          <div tabIndex={0} className="sticky top-20 max-h-[calc(100dvh-6rem)] space-y-4 overflow-y-auto pb-8">
            {operations ? <Index operations={operations} /> : null}
          </div>
        </nav>
        <main className="min-w-0">
          <h1 className="text-3xl font-semibold tracking-tight">{words.reference.title}</h1>
          {data ? <Intro document={data} /> : null}
          <div className="mt-4 max-w-md">
            <TextField
              label={words.search}
              hideLabel
              type="search"
              placeholder={words.search}
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
          </div>
          {error ? <Failure error={error} /> : null}
          {!data && !error ? <Loading label={words.loading} /> : null}
          {operations
            ? byTag(operations).map(([tag, ofTag]) => (
                <section key={tag} aria-label={tag} className="mt-10">
                  <h2 className="text-xl font-semibold">{tag}</h2>
                  {ofTag.map((operation) => (
                    <OperationCard key={operation.operationId} operation={operation} />
                  ))}
                </section>
              ))
            : null}
        </main>
      </div>
    </>
  );
}

function Intro({ document }: { document: Api }) {
  const words = useWords();
  return (
    <div className="mt-2 max-w-3xl space-y-2 text-muted">
      <p>{words.reference.lead}</p>
      <ul className="list-disc space-y-1 pl-5">
        {document.description.split('\n\n').map((part) => (
          <li key={part}>{part.replaceAll('**', '')}</li>
        ))}
      </ul>
      <p>
        <a href="/api/openapi.json" className="text-accent underline">
          OpenAPI 3.1
        </a>{' '}
        · v{document.version}
      </p>
    </div>
  );
}

function Index({ operations }: { operations: Operation[] }) {
  return byTag(operations).map(([tag, ofTag]) => (
    <div key={tag}>
      <p className="mb-1 text-sm font-semibold">{tag}</p>
      <ul className="space-y-0.5 border-l border-edge">
        {ofTag.map(({ operationId, summary }) => (
          <li key={operationId}>
            <a
              href={`#${operationId}`}
              className="-ml-px block border-l border-transparent py-0.5 pl-3 text-sm text-muted hover:border-accent hover:text-text"
            >
              {summary}
            </a>
          </li>
        ))}
      </ul>
    </div>
  ));
}

const METHOD_COLOR: Record<string, string> = {
  GET: 'bg-soft text-accent',
  DELETE: 'bg-danger-soft text-danger',
};

/** The address of this server stands in examples, so that they can be pasted. */
const exampleOf = (operation: Operation): string =>
  requestCode('curl', {
    method: operation.method,
    url: location.origin + operation.path,
    headers: {
      ...(operation.security?.length === 0 ? {} : { Authorization: 'Bearer $KEY' }),
      ...(bodyExample(operation) === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    body: bodyExample(operation),
  });

function OperationCard({ operation }: { operation: Operation }) {
  const words = useWords();
  const schema = bodySchema(operation);
  return (
    <article
      id={operation.operationId}
      aria-label={operation.summary}
      className="mt-4 scroll-mt-20 rounded-xl border border-edge bg-panel p-4 [contain-intrinsic-size:auto_24rem] [content-visibility:auto]"
    >
      <div className="flex flex-wrap items-start justify-between gap-2">
        <h3 className="text-lg font-semibold">{operation.summary}</h3>
        <Link to="/playground" search={{ op: operation.operationId }} className="text-accent underline">
          {words.reference.tryIt}
          <span className="sr-only">: {operation.summary}</span>
        </Link>
      </div>
      <p className="mt-2 flex flex-wrap items-center gap-2 font-mono text-sm">
        <span
          className={`rounded px-2 py-0.5 font-semibold ${METHOD_COLOR[operation.method] ?? 'bg-warn-soft text-warn'}`}
        >
          {operation.method}
        </span>
        <span className="break-all">{operation.path}</span>
      </p>
      {operation.description ? <p className="mt-2 text-muted">{operation.description}</p> : null}
      <Fields
        title={words.reference.parameters}
        rows={operation.parameters.map(({ name, in: place, required, schema: of, description }) => ({
          name: `${name} · ${place}`,
          required,
          type: typeOf(of),
          description,
        }))}
      />
      {schema ? <Fields title={words.playground.body} rows={rowsOf(schema)} /> : null}
      <div className="mt-4">
        <CodeBlock code={exampleOf(operation)} label={`curl: ${operation.summary}`} />
      </div>
      <h4 className="mt-4 text-sm font-semibold">{words.reference.answers}</h4>
      <ul className="mt-1 space-y-1 text-sm">
        {Object.entries(operation.responses).map(([status, { description, content }]) => (
          <li key={status}>
            <code className="font-mono font-semibold">{status}</code> <span className="text-muted">{description}</span>
            {content?.['application/json']?.schema?.properties ? (
              <p className="font-mono break-words text-muted">
                {rowsOf(content['application/json'].schema)
                  .map(({ name, type }) => `${name}: ${type}`)
                  .join(', ')}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </article>
  );
}

interface FieldRow {
  name: string;
  required: boolean;
  type: string;
  description?: string;
}

const rowsOf = (schema: Schema): FieldRow[] =>
  Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    required: schema.required?.includes(name) ?? false,
    type: typeOf(field),
    description: field.description,
  }));

function Fields({ title, rows }: { title: string; rows: FieldRow[] }) {
  const words = useWords();
  if (rows.length === 0) return null;
  return (
    <>
      <h4 className="mt-4 text-sm font-semibold">{title}</h4>
      <dl className="mt-1 divide-y divide-edge text-sm">
        {rows.map(({ name, required, type, description }) => (
          <div key={name} className="grid gap-x-4 py-1.5 sm:grid-cols-[14rem_1fr]">
            <dt className="font-mono break-words">
              {name}
              {required ? <span className="ml-2 font-sans text-danger">{words.reference.required}</span> : null}
            </dt>
            <dd className="min-w-0 break-words text-muted">
              <code className="font-mono">{type}</code>
              {description ? <span> — {description}</span> : null}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
