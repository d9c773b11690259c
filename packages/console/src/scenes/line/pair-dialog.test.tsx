// @vitest-environment happy-dom
import { expect, it, vi } from 'vitest';
import { line, state } from '../../../test/examples.ts';
import { freshPage, Refusal, serve, show } from '../../../test/rendered.tsx';
import { PairDialog } from './pair-dialog.tsx';

freshPage();
const QR = { qr: '2@code', expires_at: '2026-01-01T00:00:20.000Z' };
const pathsOf = (calls: { path: string }[]) => calls.map(({ path }) => path);

it('shows the QR code of a line that waits for a phone at once', async () => {
  const calls = serve({ 'GET /state': state(), 'GET /lines/line_1/qr': QR });
  const { screen } = await show(<PairDialog line={line()} onClose={() => {}} />);
  await screen.findByRole('img', { name: 'QR code to scan with WhatsApp' });
  expect(pathsOf(calls)).toContain('/lines/line_1/qr');
});

it('begins no pairing of a line that was logged out before it is told to', async () => {
  const calls = serve({ 'GET /state': state(), 'GET /lines/line_1/qr': QR });
  const { user, screen } = await show(<PairDialog line={line({ status: 'logged_out' })} onClose={() => {}} />);
  const button = await screen.findByRole('button', { name: 'Show the QR code' });
  expect(pathsOf(calls)).not.toContain('/lines/line_1/qr');
  await user.click(button);
  await screen.findByRole('img', { name: 'QR code to scan with WhatsApp' });
});

it('gives a code to type, and puts a refusal of the number beside the number', async () => {
  const refusal = new Refusal(400, {
    error: 'validation_error',
    message: 'Invalid.',
    details: [{ path: 'phone', message: 'Give the number with its country code.' }],
  });
  const calls = serve({
    'GET /state': state(),
    'GET /lines/line_1/qr': QR,
    'POST /lines/line_1/pair': ({ phone }: { phone: string }) =>
      phone.startsWith('+') ? { code: 'ABCD-1234' } : refusal,
  });
  const { user, screen } = await show(<PairDialog line={line()} onClose={() => {}} />);
  await user.click(screen.getByRole('radio', { name: 'Code to type' }));
  const number = screen.getByLabelText(/^Number of the phone/);
  await user.type(number, '600000000');
  await user.click(screen.getByRole('button', { name: 'Get a code' }));
  await screen.findByText('Give the number with its country code.');
  await user.clear(number);
  await user.type(number, '+34600000000');
  await user.click(screen.getByRole('button', { name: 'Get a code' }));
  await screen.findByText('ABCD-1234');
  expect(screen.queryByText('Give the number with its country code.')).toBeNull();
  expect(calls.at(-1)?.body).toEqual({ phone: '+34600000000' });
});

it('offers a virtual phone for test lines of an installation with the sandbox only', async () => {
  serve({ 'GET /state': state({ sandbox: false }), 'GET /lines/line_1/qr': QR });
  const { screen } = await show(<PairDialog line={line()} onClose={() => {}} />);
  await screen.findByRole('img', { name: 'QR code to scan with WhatsApp' });
  expect(screen.queryByRole('button', { name: 'Scan with a virtual phone' })).toBeNull();
});

it('explains to the owner of a live line what WhatsApp may show on the phone', async () => {
  serve({ 'GET /state': state(), 'GET /lines/line_1/qr': QR });
  const { screen } = await show(<PairDialog line={line({ mode: 'live' })} onClose={() => {}} />);
  await screen.findByRole('img', { name: 'QR code to scan with WhatsApp' });
  expect(screen.queryByRole('button', { name: 'Scan with a virtual phone' })).toBeNull();
  expect(document.querySelectorAll('details dt').length).toBeGreaterThan(1);
});

it('says that the line is connected, and closes by the button or Escape', async () => {
  serve({ 'GET /state': state() });
  const onClose = vi.fn();
  const { user, screen } = await show(
    <PairDialog line={line({ status: 'connected', phone: '+15550001234' })} onClose={onClose} />,
  );
  screen.getByText('Connected');
  screen.getByText('+15550001234');
  await user.keyboard('{Escape}');
  expect(onClose).toHaveBeenCalledTimes(1);
});
