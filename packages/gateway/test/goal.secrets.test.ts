import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

/** What a caller hands over, and what must not appear in a log or an error. */
const TEXT = 'canary-text-5d1f0c';
const CAPTION = 'canary-caption-77ab';
const PERSON = '34600123987';
const HEADER = 'canary-header-90ee';
const QUERY = 'canary-query-3f3f';

/** By the member that carries it. */
const CANARIES: Record<string, string> = {
  ...{ to: PERSON, chat: PERSON, phone: `+${PERSON}`, jid: `${PERSON}@s.whatsapp.net` },
  ...{ message: TEXT, body: TEXT, text: TEXT, caption: CAPTION, subject: TEXT, about: TEXT, description: TEXT },
};

let h: HttpHarness;
let lineId: string;
beforeAll(async () => {
  h = await openHttp();
  await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
  lineId = String((await h.call('GET', '/api/instances/known')).body.line_id);
  await h.setLine(lineId, { status: 'connected', phone: '1', jid: '1@s.whatsapp.net', name: 'x' });
});
afterAll(() => h.close());

it('canaries in every row’s body, headers and address show in no log and no error, whatever fails', {
  timeout: 120_000,
}, async () => {
  const broken = new Error(`inside: ${TEXT}`);
  h.router.scriptSends(async () => ({ state: 'failed', code: 'whatsapp_error', details: {} }));
  for (const name of ['numbers.check', 'account.person', 'messages.read', 'groups.create'] as const) {
    h.router.handlers[name] = async () => {
      throw broken;
    };
  }
  const rows = h.dialects
    .filter(({ name }) => name === 'bridges' || name === 'lines')
    .flatMap(({ prefix, routes }) => routes.map((row) => ({ row, prefix })));
  const secrets: string[] = [h.keys.test, h.keys.live, h.keys.stranger];
  const answers: string[] = [];
  const statuses = new Set<number>();
  for (const key of [h.keys.test, h.keys.stranger, `${h.keys.test}x`]) {
    for (const { row, prefix } of rows) {
      // What they found has to stay; streams and waits have no answer of their own.
      if (row.method === 'DELETE' || /events|reply|history/.test(row.path)) continue;
      const path = row.path
        .replace(':bridge', 'known')
        .replace(':line_id', lineId)
        .replace(/:[a-z_]+/g, 'none');
      const example = (row.requestExample ?? {}) as Record<string, unknown>;
      const body = Object.fromEntries(Object.entries(example).map(([name, value]) => [name, CANARIES[name] ?? value]));
      if ('line_id' in body) body.line_id = lineId;
      const reply = await h.call(row.method, `${prefix}${path}?note=${QUERY}`, {
        key,
        headers: { 'x-note': HEADER, cookie: `session=${HEADER}` },
        body: row.method === 'GET' ? undefined : body,
      });
      const { secret, standard_secret: standard } = reply.body;
      for (const one of [secret, standard]) if (typeof one === 'string') secrets.push(one);
      statuses.add(reply.status);
      if (reply.status >= 400) answers.push(reply.text);
    }
  }
  const logged = h.logged.map(({ fields, message }) => `${message} ${told(fields)}`).join('\n');
  for (const secret of secrets) {
    expect(logged).not.toContain(secret);
    expect(answers.join('\n')).not.toContain(secret);
  }
  for (const canary of [HEADER, QUERY, CAPTION, PERSON]) expect(logged, canary).not.toContain(canary);
  // What failed inside is not told outside.
  expect(answers.filter((text) => text.includes(broken.message))).toEqual([]);
  // It went deep enough: some calls did what they say, others were refused, others broke inside.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 401, 404, 500]));
  expect(h.logged.length).toBeGreaterThan(0);
});

/** As a log would have it: errors with their text. */
const told = (fields: Record<string, unknown>): string =>
  JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? `${value.name}: ${value.message}` : value));
