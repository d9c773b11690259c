// @vitest-environment happy-dom
import { fireEvent, waitFor } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { quoted } from '../../../test/examples.ts';
import { freshPage, Refusal, serve, show } from '../../../test/rendered.tsx';
import { MAX_FILE_BYTES } from '../../attach-file.ts';
import { MessageComposer } from './message-composer.tsx';

freshPage();
const TO = '+15550001234';
const composer = <MessageComposer lineId="line_1" to={TO} label="Message" />;

it('sends what is written by Enter, and is empty again', async () => {
  const calls = serve({ 'POST /messages/send': { message_id: 'wamid_2' } });
  const { user, screen } = await show(composer);
  await user.type(screen.getByLabelText('Message'), 'Hello{Shift>}{Enter}{/Shift}there{Enter}');
  await waitFor(() => expect(screen.getByLabelText('Message')).toHaveProperty('value', ''));
  const body = { line_id: 'line_1', to: TO, message: 'Hello\nthere' };
  expect(calls).toEqual([{ method: 'POST', path: '/messages/send', mode: 'test', body }]);
});

it('sends nothing while an input method composes, and nothing that is blank', async () => {
  const calls = serve({ 'POST /messages/send': {} });
  const { user, screen } = await show(composer);
  const box = screen.getByLabelText('Message');
  await user.type(box, '   {Enter}');
  await user.type(box, '日本');
  fireEvent.keyDown(box, { key: 'Enter', isComposing: true });
  expect(calls).toEqual([]);
});

it('keeps the text when the server refuses it, and says why', async () => {
  serve({
    'POST /messages/send': new Refusal(400, {
      error: 'validation_error',
      message: 'to: not a phone number.',
    }),
  });
  const { user, screen } = await show(composer);
  await user.type(screen.getByLabelText('Message'), 'Hello{Enter}');
  await screen.findByText('to: not a phone number.');
  expect(screen.getByLabelText('Message')).toHaveProperty('value', 'Hello');
});

it('says that the server does not answer', async () => {
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('fetch failed')));
  const { user, screen } = await show(composer);
  await user.type(screen.getByLabelText('Message'), 'Hello{Enter}');
  await screen.findByText(/server does not answer/i);
});

it('answers the quoted message, and forgets the quote when it is sent or Escape is pressed', async () => {
  const calls = serve({ 'POST /messages/reply': {} });
  const onQuoted = vi.fn();
  const { user, screen } = await show(
    <MessageComposer lineId="line_1" to={TO} label="Message" quoted={quoted} onQuoted={onQuoted} />,
  );
  screen.getByText('Is this support?');
  await user.type(screen.getByLabelText('Message'), '{Escape}');
  expect(onQuoted).toHaveBeenCalledTimes(1);
  await user.type(screen.getByLabelText('Message'), 'Yes{Enter}');
  await waitFor(() => expect(onQuoted.mock.calls.length).toBe(2));
  const body = { line_id: 'line_1', to: TO, message: 'Yes', quoted_message_id: 'wamid_1' };
  expect(calls).toMatchObject([{ path: '/messages/reply', body }]);
});

it('sends a dropped file as what it is, and refuses one over 10 MB before it is read', async () => {
  const calls = serve({ 'POST /messages/send-media': {} });
  const { screen } = await show(composer);
  const form = screen.getByLabelText('Message').closest('form');
  const drop = (file: File) => fireEvent.drop(form as HTMLFormElement, { dataTransfer: { files: [file] } });
  drop(new File(['hi'], 'notes.txt', { type: 'text/plain' }));
  await waitFor(() => expect(calls.length).toBe(1));
  const file = { media_type: 'document', mime_type: 'text/plain', filename: 'notes.txt', data: btoa('hi') };
  expect(calls[0]?.body).toEqual({ line_id: 'line_1', to: TO, ...file });

  const huge = new File(['x'], 'film.mp4', { type: 'video/mp4' });
  Object.defineProperty(huge, 'size', { value: MAX_FILE_BYTES + 1 });
  drop(huge);
  await screen.findByText('At most 10 MB.');
  expect(calls).toHaveLength(1);
});

it('sends an image without a MIME type: the server reads it from the bytes', async () => {
  const calls = serve({ 'POST /messages/send-media': {} });
  const { user, screen } = await show(composer);
  await user.upload(screen.getByLabelText('Attach a file'), new File(['p'], 'a.png', { type: 'image/png' }));
  await waitFor(() => expect(calls.length).toBe(1));
  expect(calls[0]?.body).toEqual({ line_id: 'line_1', to: TO, media_type: 'image', data: btoa('p') });
});
