// @vitest-environment happy-dom
import { act } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { freshPage, show } from '../../test/rendered.tsx';
import { notices, notify } from './notices.ts';

freshPage();
afterEach(() => {
  vi.useRealTimers();
  act(() => notices.close());
});

it('says a sentence to screen readers, without a dialog', async () => {
  const { screen } = await show(null);
  act(() => notify('good', 'Saved.'));
  await screen.findByText('Saved.');
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(screen.getByRole('status').textContent).toBe('Saved.');
});

it('goes after six seconds', async () => {
  const { screen } = await show(null);
  vi.useFakeTimers();
  act(() => notify('bad', 'Failed.'));
  await act(() => vi.advanceTimersByTimeAsync(5_900));
  screen.getByText('Failed.');
  await act(() => vi.advanceTimersByTimeAsync(1_000));
  expect(screen.queryByText('Failed.')).toBeNull();
});

it('shows three at once, the newest first', async () => {
  const { screen } = await show(null);
  act(() => {
    for (const text of ['one', 'two', 'three', 'four']) notify('good', text);
  });
  const shown = screen.getAllByRole('status').filter((toast) => !toast.hasAttribute('data-limited'));
  expect(shown.map((toast) => toast.textContent)).toEqual(['four', 'three', 'two']);
});
