import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert } from '../../parts/layout.tsx';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import { queueQuery } from '../../queries/line.ts';
import type { Line } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';

const SECOND_MS = 1_000;

/** How far apart the sends of a line leave. */
export function Pacing({ line }: { line: Line }) {
  const words = useWords();
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const { data: queue } = useQuery(queueQuery(line.line_id));
  const save = async (pacing: object | null) => {
    const done = await run(async () => {
      await api('PATCH', `/lines/${line.line_id}`, { pacing });
      await client.invalidateQueries({ queryKey: ['queue', line.line_id] });
    });
    if (done) notify('good', words.saved);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const ms = (name: string) => Math.round(Number(form.get(name)) * SECOND_MS);
    void save({ min_gap_ms: ms('min'), max_gap_ms: ms('max'), burst: Number(form.get('burst')) });
  };
  if (!queue) return null;
  const { pacing } = queue;
  return (
    <form key={JSON.stringify(pacing)} onSubmit={submit} className="space-y-2">
      <fieldset className="flex flex-wrap items-end gap-2">
        <legend className="mb-1 text-sm font-medium">{words.pacing.title}</legend>
        <div className="w-32">
          <TextField
            label={words.pacing.min}
            name="min"
            type="number"
            min={0}
            max={600}
            step={0.1}
            required
            defaultValue={(pacing?.min_gap_ms ?? 0) / SECOND_MS}
          />
        </div>
        <div className="w-32">
          <TextField
            label={words.pacing.max}
            name="max"
            type="number"
            min={0}
            max={600}
            step={0.1}
            required
            defaultValue={(pacing?.max_gap_ms ?? 0) / SECOND_MS}
          />
        </div>
        <div className="w-32">
          <TextField
            label={words.pacing.burst}
            name="burst"
            type="number"
            min={0}
            max={100}
            required
            defaultValue={pacing?.burst ?? 0}
          />
        </div>
        <Button type="submit" busy={busy}>
          {words.save}
        </Button>
        <Button look="quiet" onClick={() => void save(null)}>
          {words.pacing.reset}
        </Button>
      </fieldset>
      <p className="text-sm text-muted">{words.pacing.hint}</p>
      {error ? <Alert>{error}</Alert> : null}
    </form>
  );
}
