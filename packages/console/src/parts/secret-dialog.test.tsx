// @vitest-environment happy-dom
import { fireEvent } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { freshPage, show } from '../../test/rendered.tsx';
import { SecretDialog } from './secret-dialog.tsx';

freshPage();
const dialog = (onClose: () => void) => (
  <SecretDialog title="Key made" lead="Shown once." label="API key" text="wzb_test_1" onClose={onClose} />
);

it('closes by its own button alone: not by Escape, not by a click beside it', async () => {
  const onClose = vi.fn();
  const { user, screen } = await show(dialog(onClose));
  await user.keyboard('{Escape}');
  fireEvent.pointerDown(document.body);
  await user.click(document.body);
  screen.getByText('wzb_test_1');
  expect(screen.queryByRole('button', { name: 'Close' })).toBeNull();
  expect(onClose).not.toHaveBeenCalled();
  await user.click(screen.getByRole('button', { name: 'I have copied it' }));
  expect(onClose).toHaveBeenCalledTimes(1);
});

it('copies the secret and says so', async () => {
  const { user, screen } = await show(dialog(() => {}));
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  await screen.findByText('Copied');
  expect(await navigator.clipboard.readText()).toBe('wzb_test_1');
});

it('shows the same secret in a second notation where there is one', async () => {
  const also = { lead: 'For other clients:', text: 'whsec_2' };
  const { screen } = await show(
    <SecretDialog title="Secret" lead="Shown once." label="Secret" text="wzb_1" also={also} onClose={() => {}} />,
  );
  screen.getByText('wzb_1');
  screen.getByText('whsec_2');
});
