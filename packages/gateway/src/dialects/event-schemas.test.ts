import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BRIDGES_EVENTS, bridgesEvent } from './bridges/event-schemas.ts';
import { BRIDGES_EVENT_NAMES } from './bridges/webhook-format.ts';
import { LINES_EVENTS, linesEvent } from './lines/event-schemas.ts';
import { EVENT_NAMES } from './lines/webhook-format.ts';

type Bodies = Record<string, { event: string }>;
/** One body of every event, as receivers get it (http.contract.test.ts keeps them true). */
const bodies = (format: string): { event: string }[] =>
  Object.values(
    JSON.parse(readFileSync(new URL(`../../test/golden/webhooks.${format}.json`, import.meta.url), 'utf8')) as Bodies,
  );

describe.each([
  { format: 'lines', schema: linesEvent, documented: LINES_EVENTS, names: [...EVENT_NAMES, 'webhook.test'] },
  { format: 'bridges', schema: bridgesEvent, documented: BRIDGES_EVENTS, names: BRIDGES_EVENT_NAMES },
])('the events of the $format format', ({ format, schema, documented, names }) => {
  test('every body is one of the documented events, with no member that they do not name', () => {
    expect(bodies(format).length).toBeGreaterThan(10);
    for (const body of bodies(format)) expect(schema.safeParse(body).error?.issues ?? [], body.event).toEqual([]);
  });

  test('every event is documented, and nothing else', () => {
    expect(documented.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  test('a body with a member more, or one less, is none', () => {
    const [body] = bodies(format);
    expect(schema.safeParse({ ...body, surprise: 1 }).success).toBe(false);
    expect(schema.safeParse({ event: body?.event }).success).toBe(false);
  });
});
