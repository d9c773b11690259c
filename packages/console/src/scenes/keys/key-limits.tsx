import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { mode } from '../../mode.ts';
import { TextField } from '../../parts/field.tsx';
import { linesQuery } from '../../queries/lines.ts';
import type { Key } from '../../shapes.ts';
import { keyLimitTexts } from '../../words/key-limits.ts';
import { useTexts } from '../../words/texts.ts';

/** What a form's limits come to in a call; nothing for what was left open. */
export function limitsOf(form: FormData): { line_ids?: string[]; networks?: string[] } {
  const networks = String(form.get('networks') ?? '')
    .split(/[\s,]+/)
    .filter((network) => network !== '');
  return {
    ...(form.get('someLines') === 'on' ? { line_ids: form.getAll('line').map(String) } : {}),
    ...(networks.length > 0 ? { networks } : {}),
  };
}

/** The fields that narrow a new key: which lines, and from where. */
export function KeyLimits({ linesError, networksError }: { linesError?: string; networksError?: string }) {
  const texts = useTexts(keyLimitTexts);
  const { data: lines = [] } = useQuery(linesQuery(mode.use()));
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      {lines.length > 0 ? (
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            name="someLines"
            className="size-4 accent-accent"
            checked={isOpen}
            onChange={(event) => setIsOpen(event.target.checked)}
          />
          {texts.someLines}
        </label>
      ) : null}
      {isOpen ? (
        <fieldset className="grid max-h-60 gap-2 overflow-y-auto rounded-lg border border-edge p-3">
          <legend className="px-1 text-sm font-medium">{texts.lines}</legend>
          {lines.map((line) => (
            <label key={line.line_id} className="flex items-center gap-2">
              <input type="checkbox" name="line" value={line.line_id} className="size-4 accent-accent" />
              <span className="truncate">
                {line.label ?? line.customer_ref ?? line.name ?? line.phone ?? line.line_id}
              </span>
            </label>
          ))}
          {linesError ? <p className="text-sm text-bad">{linesError}</p> : null}
        </fieldset>
      ) : null}
      <TextField
        label={texts.networks}
        name="networks"
        hint={texts.networksHint}
        placeholder={texts.networksExample}
        error={networksError}
      />
    </>
  );
}

/** What a key is limited to, in its row. */
export function ShownLimits({ of }: { of: Key }) {
  const texts = useTexts(keyLimitTexts);
  const parts = [
    ...(of.line_ids ? [texts.forLines(of.line_ids.length)] : []),
    ...(of.networks ? [texts.from(of.networks.join(', '))] : []),
  ];
  return parts.length > 0 ? <p className="text-sm text-muted">{parts.join(' · ')}</p> : null;
}
