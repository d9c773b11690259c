// @vitest-environment happy-dom
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { freshPage, show } from '../../test/rendered.tsx';
import { forgetFilter, readFilters, saveFilter } from '../saved-filters.ts';
import { FilterMemory } from './filter-memory.tsx';

freshPage();
const OPEN = { status: '', q: '' };

/** A list with one button that narrows it. */
function List() {
  const [filter, setFilter] = useState(OPEN);
  return (
    <>
      <button type="button" onClick={() => setFilter({ status: 'dead', q: 'evt_1' })}>
        narrow
      </button>
      <output>{JSON.stringify(filter)}</output>
      <FilterMemory list="deliveries" filter={filter} open={OPEN} onChange={setFilter} />
    </>
  );
}

it('offers nothing while there is nothing to save and nothing to choose', async () => {
  const { screen } = await show(<List />);
  expect(screen.queryByRole('button', { name: 'Save this filter' })).toBeNull();
  expect(screen.queryByRole('combobox')).toBeNull();
});

it('keeps a filter by name, applies it, clears it and forgets it', async () => {
  const { user, screen } = await show(<List />);
  await user.click(screen.getByText('narrow'));
  await user.click(screen.getByRole('button', { name: /save/i }));
  await user.type(screen.getByRole('textbox'), '  Dead ones  ');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(readFilters(localStorage.getItem('ponte.filters.deliveries') ?? '')).toEqual([
    { name: 'Dead ones', filter: { status: 'dead', q: 'evt_1' } },
  ]);

  await user.click(screen.getByRole('button', { name: 'Show everything' }));
  expect(screen.getByRole('status').textContent).toBe(JSON.stringify(OPEN));
  await user.selectOptions(screen.getByRole('combobox'), 'Dead ones');
  expect(screen.getByRole('status').textContent).toBe('{"status":"dead","q":"evt_1"}');

  await user.click(screen.getByRole('button', { name: /Dead ones/ }));
  expect(readFilters(localStorage.getItem('ponte.filters.deliveries') ?? '')).toEqual([]);
});

it('replaces a filter of the same name, keeps twenty, and drops what is damaged', () => {
  saveFilter('lines', 'a', { q: '1' });
  saveFilter('lines', 'a', { q: '2' });
  const stored = () => readFilters(localStorage.getItem('ponte.filters.lines') ?? '');
  expect(stored()).toEqual([{ name: 'a', filter: { q: '2' } }]);
  for (let n = 0; n < 25; n += 1) saveFilter('lines', `f${n}`, { q: String(n) });
  expect(stored()).toHaveLength(20);
  expect(stored()[0]?.name).toBe('f5');
  forgetFilter('lines', 'f5');
  expect(stored()).toHaveLength(19);
  expect(readFilters('[{"name":"b","filter":{"q":1}},null,{"name":"c","filter":{}}]')).toEqual([
    { name: 'c', filter: {} },
  ]);
  expect(readFilters('not JSON')).toEqual([]);
});

it('works as long as the page lives where the browser keeps nothing', async () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('QuotaExceededError');
  });
  const { user, screen } = await show(<List />);
  await user.click(screen.getByText('narrow'));
  await user.click(screen.getByRole('button', { name: /save/i }));
  await user.type(screen.getByRole('textbox'), 'Unkept');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(screen.getByRole('combobox')).toHaveProperty('value', 'Unkept');
});
