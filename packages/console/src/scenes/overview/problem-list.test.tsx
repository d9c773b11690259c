// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { line, problem, problems } from '../../../test/examples.ts';
import { freshPage, Refusal, serve, show } from '../../../test/rendered.tsx';
import { ProblemList } from './problem-list.tsx';

freshPage();
const webhook = {
  id: 'wh_1',
  format: 'lines',
  url: 'https://example.com/hook',
  events: [],
  status: 'enabled',
  created_at: '2026-01-01T00:00:00.000Z',
};
const WORLD = {
  'GET /lines': { ok: true, lines: [line()] },
  'GET /endpoints': { webhooks: [webhook], names: { bridges: [], lines: [] }, types: [] },
};

it('says when nothing is wrong', async () => {
  serve({ ...WORLD, 'GET /problems': problems() });
  const { screen } = await show(<ProblemList />);
  await screen.findByText('Nothing is wrong.');
});

it('names each problem by its line or webhook, with the remedy and the way there', async () => {
  serve({
    ...WORLD,
    'GET /problems': problems({
      problems: [
        problem(),
        problem({ kind: 'queue_stuck', reason: null }),
        problem({ kind: 'webhook_failing', line_id: null, webhook_id: 'wh_1', reason: null }),
        problem({ kind: 'line_down', line_id: 'line_gone', reason: 'banned' }),
      ],
    }),
  });
  const { screen } = await show(<ProblemList />);
  const hrefOf = async (name: RegExp) => (await screen.findByRole('link', { name })).getAttribute('href');
  expect(await hrefOf(/^Support is not connected/)).toBe('/lines/line_1');
  expect(await hrefOf(/^Messages of Support/)).toBe('/lines/line_1');
  expect(await hrefOf(/example\.com\/hook/)).toBe('/webhooks/wh_1');
  // A line that is not in the list is not named by its id.
  expect(await hrefOf(/^A line is not connected/)).toBe('/lines/line_gone');
  screen.getByText(/Restart the line/);
});

it('counts messages that wait for a person, and says that the disk is full and the clock is wrong', async () => {
  serve({
    ...WORLD,
    'GET /problems': problems({
      approvals: { waiting: 2, expiring: 1, first_ends_at: null },
      disk: { free_bytes: 50 * 1_048_576, empty: false },
      clock: { offset_ms: -95_000, source: 'whatsapp' },
    }),
  });
  const { screen } = await show(<ProblemList />);
  expect((await screen.findByRole('link', { name: /^2 messages wait/ })).getAttribute('href')).toBe('/approvals');
  screen.getByText(/50 MiB/);
  screen.getByText(/95/);
  expect(screen.queryByText('Nothing is wrong.')).toBeNull();
});

it('says that it could not ask, rather than that nothing is wrong', async () => {
  serve({ ...WORLD, 'GET /problems': new Refusal(403, { error: 'forbidden', message: 'Not for you.' }) });
  const { screen } = await show(<ProblemList />);
  await screen.findByText('Not for you.');
  expect(screen.queryByText('Nothing is wrong.')).toBeNull();
});
