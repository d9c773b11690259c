import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { api } from '../../api.ts';
import { TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Modal } from '../../parts/modal.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { Line } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';

/** Asks for the name of a new line, makes it, and goes on to its pairing. */
export function CreateLine({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { busy, run, error, fieldError } = useAction();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined;
    await run(async () => {
      const line = await api<Line>('POST', '/lines', { label: text('label'), customer_ref: text('ref') });
      await client.invalidateQueries({ queryKey: ['lines'] });
      await navigate({ to: '/lines/$lineId', params: { lineId: line.line_id }, search: { pair: true } });
    });
  };

  return (
    <Modal open onClose={onClose} title={words.lines.create}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField
          label={words.lines.label}
          name="label"
          maxLength={128}
          placeholder={words.lines.labelExample}
          error={fieldError('label')}
          autoFocus
        />
        <TextField
          label={words.lines.ref}
          name="ref"
          maxLength={128}
          pattern="[A-Za-z0-9._:@+\-]*"
          placeholder="user-123"
          hint={words.lines.refHint}
          error={fieldError('customer_ref')}
        />
        <FormEnd action={words.create} onClose={onClose} busy={busy} error={error} />
      </form>
    </Modal>
  );
}
