import { X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { type Filter, forgetFilter, saveFilter, useSavedFilters } from '../saved-filters.ts';
import { listTexts } from '../words/list-tools.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';
import { SelectField, TextField } from './field.tsx';
import { FormEnd } from './form-end.tsx';
import { Modal } from './modal.tsx';

const LONGEST = 60;

/**
 * Filters of one list that this browser keeps by name: choose one, save the present one, forget it,
 * or show everything again. Shows nothing while there is nothing to choose or to save.
 */
export function FilterMemory<T extends Filter>(props: {
  list: string;
  filter: T;
  /** Narrows nothing. */
  open: T;
  onChange: (filter: T) => void;
}) {
  const { list, filter, open, onChange } = props;
  const words = useWords();
  const texts = useTexts(listTexts);
  const saved = useSavedFilters(list);
  const [isSaving, setIsSaving] = useState(false);
  const isOpen = isSame(filter, open);
  const chosen = saved.find((one) => isSame({ ...open, ...one.filter }, filter));
  if (isOpen && saved.length === 0) return null;
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    if (name === '') return;
    saveFilter(list, name, filter);
    setIsSaving(false);
  };
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      {saved.length > 0 ? (
        <div className="w-44 min-w-0">
          <SelectField
            label={texts.filters}
            hideLabel
            value={chosen?.name ?? ''}
            onChange={(event) => {
              const one = saved.find(({ name }) => name === event.target.value);
              onChange({ ...open, ...one?.filter });
            }}
          >
            <option value="">{texts.filters}</option>
            {saved.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </SelectField>
        </div>
      ) : null}
      {chosen ? (
        <Button small aria-label={texts.remove(chosen.name)} onClick={() => forgetFilter(list, chosen.name)}>
          <X aria-hidden className="size-4" />
        </Button>
      ) : null}
      {isOpen || chosen ? null : (
        <Button small onClick={() => setIsSaving(true)}>
          {texts.save}
        </Button>
      )}
      {isOpen ? null : (
        <Button small onClick={() => onChange(open)}>
          {texts.clear}
        </Button>
      )}
      {isSaving ? (
        <Modal open onClose={() => setIsSaving(false)} title={texts.save}>
          <form onSubmit={save} className="space-y-4">
            <TextField label={texts.name} name="name" maxLength={LONGEST} required autoFocus />
            <FormEnd action={words.save} onClose={() => setIsSaving(false)} />
          </form>
        </Modal>
      ) : null}
    </div>
  );
}

function isSame(one: Filter, other: Filter): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => (one[name] ?? '') === (other[name] ?? ''));
}
