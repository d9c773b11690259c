import { Send } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { MAX_TEXT } from '../../parts/text-box.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { Line } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';

interface Sent {
  message_id: string;
  to: string;
  status: 'sent' | 'queued' | 'pending';
}

/** Sends a text through the line, as an integration would. */
export function SendTest({ line }: { line: Line }) {
  const words = useWords();
  const { busy, run, error, fieldError } = useAction();
  const [sent, setSent] = useState<Sent>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSent(undefined);
    await run(async () =>
      setSent(
        await api<Sent>('POST', '/messages/send', {
          line_id: line.line_id,
          to: String(form.get('to')),
          message: String(form.get('message')),
        }),
      ),
    );
  };
  return (
    <Panel title={words.sendTest.title}>
      <form
        onSubmit={(event) => void submit(event)}
        className="grid gap-3 sm:grid-cols-[14rem_1fr_auto] sm:items-start"
      >
        <TextField
          label={words.sendTest.to}
          name="to"
          type="tel"
          placeholder="+34600000000"
          required
          error={fieldError('to')}
        />
        <TextField
          label={words.sendTest.message}
          name="message"
          required
          maxLength={MAX_TEXT}
          error={fieldError('message')}
        />
        <Button type="submit" look="main" busy={busy} className="sm:mt-6.5">
          <Send aria-hidden className="size-4" />
          {words.send}
        </Button>
      </form>
      <div className="mt-3 empty:hidden">
        {error && !fieldError('to') ? <Alert>{error}</Alert> : null}
        {sent ? (
          <Alert tone={sent.status === 'sent' ? 'good' : 'busy'}>
            {words.sendTest[sent.status]} <code className="font-mono text-sm">{sent.message_id}</code>
          </Alert>
        ) : null}
      </div>
    </Panel>
  );
}
