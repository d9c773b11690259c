import type { Route } from '../../src/http/route.ts';

type Json = Record<string, unknown>;

/** One call as it was made and answered. */
export interface Exchange {
  row: Pick<Route, 'operation' | 'method' | 'tag' | 'summary'>;
  /** As the caller wrote it, below the server's address. */
  path: string;
  request: unknown;
  status: number;
  contentType: string;
  /** Undefined: no JSON. */
  answer: unknown;
}

export interface TranscriptWords {
  heading: string;
  /** What is said before the webhooks. */
  webhooks: string;
  /** Values that differ from run to run, by the member they stand in. */
  fixed: Json;
  /** What else does, by its form; the same one has the same name everywhere. */
  forms: readonly [form: RegExp, name: (number: string) => string][];
  /** Addresses of this run, and how to call them. */
  places: Record<string, string>;
}

/** Lists of people come in the order of their LIDs, which differ from run to run. */
function inOrder(list: unknown[]): unknown[] {
  const people = list as { phone?: string; role?: string; read_at?: unknown }[];
  const isPeople = people.some((one) => typeof one === 'object' && (one?.role ?? one?.read_at) !== undefined);
  return isPeople ? people.toSorted((a, b) => String(a.phone).localeCompare(String(b.phone))) : list;
}

/** Calls and webhooks as a document. Equal ones give equal documents. */
export function transcript(
  exchanges: readonly Exchange[],
  webhooks: readonly (readonly [title: string, body: unknown])[],
  words: TranscriptWords,
): string {
  const parts = [words.heading];
  let tag = '';
  for (const exchange of exchanges) {
    if (exchange.row.tag !== tag) {
      tag = exchange.row.tag;
      parts.push(`## ${tag}\n`);
    }
    parts.push(exchangeOf(exchange, words.fixed));
  }
  parts.push(`## Webhooks\n\n${words.webhooks}\n`);
  for (const [title, body] of webhooks) {
    parts.push(`### \`${title}\`\n\n\`\`\`json\n${JSON.stringify(steady(body, words.fixed))}\n\`\`\`\n`);
  }
  return named(parts.join('\n'), words);
}

function exchangeOf({ row, path, request, status, contentType, answer }: Exchange, fixed: Json): string {
  const asked = request === undefined ? [] : [JSON.stringify(steady(request, fixed))];
  const bytes = contentType === '' ? [] : [`(${contentType})`];
  const said = answer === undefined ? bytes : [JSON.stringify(steady(answer, fixed))];
  const lines = [`${row.method} ${path}`, ...asked, '', String(status), ...said];
  return `### ${row.summary}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
}

/** Fixed values in the members that need them. */
function steady(value: unknown, fixed: Json, key = ''): unknown {
  if (Array.isArray(value)) return inOrder(value).map((item) => steady(item, fixed));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, steady(member, fixed, name)]));
  }
  return value !== null && key in fixed ? fixed[key] : value;
}

/** Fixed names for whatever has a form of its own, numbered as they come. */
function named(text: string, { forms, places }: TranscriptWords): string {
  let result = Object.entries(places).reduce((so, [of, name]) => so.replaceAll(of, name), text);
  for (const [form, name] of forms) {
    const seen = new Map<string, string>();
    result = result.replaceAll(form, (found) => {
      const known = seen.get(found) ?? name(String(seen.size + 1).padStart(2, '0'));
      seen.set(found, known);
      return known;
    });
  }
  return result;
}
