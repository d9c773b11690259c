// @vitest-environment happy-dom
import { useState } from 'react';
import { expect, it } from 'vitest';
import { line } from '../../../test/examples.ts';
import { freshPage, serve, show } from '../../../test/rendered.tsx';
import { DeliveryFilters, EVERYTHING, queryOf } from './delivery-filters.tsx';

freshPage();

function Log() {
  const [filter, setFilter] = useState(EVERYTHING);
  return (
    <>
      <DeliveryFilters filter={filter} onChange={setFilter} />
      <output>{JSON.stringify(queryOf(filter))}</output>
    </>
  );
}

it('asks the server only for what is narrowed, times as instants', async () => {
  serve({
    'GET /lines': { ok: true, lines: [line()] },
    'GET /endpoints': { webhooks: [], names: { bridges: [], lines: [] }, types: ['message.received'] },
  });
  const { user, screen } = await show(<Log />);
  const asked = () => JSON.parse(screen.getByRole('status').textContent ?? '');
  expect(asked()).toEqual({});
  await user.selectOptions(screen.getByLabelText('Event'), await screen.findByText('message.received'));
  await user.selectOptions(screen.getByLabelText('Line'), await screen.findByText('Support'));
  await user.type(screen.getByRole('searchbox'), ' evt_1 ');
  expect(asked()).toEqual({ event: 'message.received', line_id: 'line_1', q: 'evt_1' });
});

it('leaves out what is no time', () => {
  expect(queryOf({ ...EVERYTHING, since: 'soon', until: '2026-01-02T03:04' })).toEqual({
    until: new Date('2026-01-02T03:04').toISOString(),
  });
});
