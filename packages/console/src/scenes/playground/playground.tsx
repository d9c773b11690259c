import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api.ts';
import { mode } from '../../mode.ts';
import { type Api, byTag, openApiQuery } from '../../openapi.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { Alert, Loading, PageHead, Panel } from '../../parts/layout.tsx';
import { useAction } from '../../parts/use-action.ts';
import { stateQuery } from '../../queries/account.ts';
import { linesQuery } from '../../queries/lines.ts';
import { useMay } from '../../session.ts';
import type { MadeKey } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';
import { listPhones } from '../phones/virtual-phone-calls.ts';
import { RequestForm } from './request-form.tsx';

/** The key of this visit; never stored, so that it is gone with the page. */
let visitKey = '';

/**
 * Every operation of the published APIs, called as an integration calls it: with a key, from this
 * browser.
 */
export function Playground() {
  const words = useWords();
  const { data, error } = useQuery(openApiQuery);
  return (
    <>
      <PageHead title={words.nav.playground} lead={words.playground.lead} />
      {error ? <Failure error={error} /> : null}
      {data ? <Bench document={data} /> : error ? null : <Loading label={words.loading} />}
    </>
  );
}

function Bench({ document }: { document: Api }) {
  const words = useWords();
  const navigate = useNavigate();
  const { op } = useSearch({ from: '/inside/playground' });
  const shownMode = mode.use();
  const { data: lines } = useQuery(linesQuery(shownMode));
  const { data: state } = useQuery(stateQuery);
  const { data: phones } = useQuery({
    queryKey: ['phones'],
    queryFn: listPhones,
    enabled: shownMode === 'test' && state?.sandbox === true,
  });
  const [key, setKey] = useState(visitKey);
  const operation =
    document.operations.find(({ operationId }) => operationId === (op ?? 'sendMessage')) ?? document.operations[0];
  const keep = (value: string) => {
    visitKey = value;
    setKey(value);
  };
  if (!operation) return null;
  return (
    <div className="space-y-6">
      <Panel>
        <div className="grid gap-4 md:grid-cols-2">
          <SelectField
            label={words.playground.operation}
            value={operation.operationId}
            onChange={(event) => void navigate({ to: '/playground', search: { op: event.target.value } })}
          >
            {byTag(document.operations).map(([tag, operations]) => (
              <optgroup key={tag} label={tag}>
                {operations.map((one) => (
                  <option key={one.operationId} value={one.operationId}>
                    {one.method} {one.path}
                  </option>
                ))}
              </optgroup>
            ))}
          </SelectField>
          <KeyField value={key} onChange={keep} />
        </div>
        <p className="mt-3">{operation.summary}</p>
        {operation.description ? <p className="mt-1 text-muted">{operation.description}</p> : null}
      </Panel>
      <RequestForm
        key={`${operation.operationId} ${lines === undefined} ${phones === undefined}`}
        operation={operation}
        apiKey={key}
        lines={lines ?? []}
        phone={phones?.find(({ name }) => !name.endsWith('(owner)'))?.phone}
      />
    </div>
  );
}

function KeyField({ value, onChange }: { value: string; onChange: (key: string) => void }) {
  const words = useWords();
  const mayChange = useMay('developer');
  const { busy, run, error } = useAction();
  const make = () =>
    run(async () =>
      onChange((await api<MadeKey>('POST', '/keys', { name: words.playground.keyName, expires_in_days: 1 })).key),
    );
  return (
    <div>
      <div className="flex items-end gap-2">
        <div className="min-w-0 flex-1">
          <TextField
            label={words.playground.key}
            value={value}
            autoComplete="off"
            spellCheck={false}
            placeholder="wzb_test_…"
            className="font-mono"
            onChange={(event) => onChange(event.target.value.trim())}
          />
        </div>
        {mayChange ? (
          <Button busy={busy} onClick={() => void make()}>
            {words.playground.newKey}
          </Button>
        ) : null}
      </div>
      <p className="mt-1 text-sm text-muted">{words.playground.keyHint}</p>
      {error ? <Alert>{error}</Alert> : null}
    </div>
  );
}
