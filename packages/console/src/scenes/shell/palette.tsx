import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { Modal } from '../../parts/modal.tsx';
import { number } from '../../parts/time.ts';
import { paletteTexts } from '../../words/palette.ts';
import { useTexts } from '../../words/texts.ts';
import { type Command, useCommands } from './commands.ts';

const SHOWN = 12;
const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowDown: (at, last) => (at === last ? 0 : at + 1),
  ArrowUp: (at, last) => (at === 0 ? last : at - 1),
  Home: () => 0,
  End: (_, last) => last,
};

/** Every word that was typed is in its name or its other names; the last of all stays in sight. */
function fitting(commands: readonly Command[], wanted: string): Command[] {
  const parts = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name, also }: Command) => {
    const text = `${name} ${also}`.toLowerCase();
    return parts.every((part) => text.includes(part));
  };
  const found = commands.filter(fits);
  const last = found.at(-1);
  return last && found.length > SHOWN ? [...found.slice(0, SHOWN - 1), last] : found;
}

/** Goes anywhere and does what needs no page, by a few letters of its name and Enter. */
export function Palette({ onClose }: { onClose: () => void }) {
  const texts = useTexts(paletteTexts);
  const router = useRouter();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const found = fitting(useCommands(wanted), wanted);
  const current = Math.min(at, Math.max(0, found.length - 1));
  useEffect(() => {
    document.getElementById(`${list}-${current}`)?.scrollIntoView({ block: 'nearest' });
  }, [list, current]);
  const choose = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    if (command.href === undefined) command.run();
    else void router.navigate({ href: command.href });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step) setAt(step(current, Math.max(0, found.length - 1)));
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) choose(found[current]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal open onClose={onClose} title={texts.title}>
      <input
        role="combobox"
        aria-label={texts.find}
        aria-expanded
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? `${list}-${current}` : undefined}
        placeholder={texts.find}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        // biome-ignore lint/a11y/noAutofocus: the dialog is opened to type here
        autoFocus
        className="w-full rounded-lg border border-field bg-panel px-3 py-2"
      />
      <p role="status" className={found.length > 0 ? 'sr-only' : 'mt-4 text-muted'}>
        {found.length > 0 ? texts.found(number(found.length)) : texts.nothing}
      </p>
      <div id={list} role="listbox" aria-label={texts.title} className="relative mt-3 max-h-[50dvh] overflow-y-auto">
        {found.map((command, place) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box above has the focus and the keys
          <div
            key={`${command.kind} ${command.name} ${command.also}`}
            id={`${list}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === current}
            onClick={() => choose(command)}
            onPointerMove={() => setAt(place)}
            className={`flex cursor-pointer items-baseline justify-between gap-3 rounded-lg px-3 py-2 ${place === current ? 'bg-soft' : ''}`}
          >
            <bdi className="min-w-0 truncate">{command.name}</bdi>
            <span className="shrink-0 text-sm text-muted">{texts.kinds[command.kind]}</span>
          </div>
        ))}
      </div>
    </Modal>
  );
}
