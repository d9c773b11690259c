import { useState } from 'react';
import { ApiError } from '../api.ts';
import { bulkTexts } from '../words/bulk.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';
import { Confirm } from './confirm.tsx';
import { failureText } from './failure.tsx';
import { Alert } from './layout.tsx';
import { notify } from './notices.ts';
import type { Selection } from './selection.ts';
import { number } from './time.ts';

/** What can be done with one member of a list, and so with several. */
export interface BulkAction {
  label: string;
  /** What it means, asked before it is done. */
  help: string;
  /** Which ones it can be done with. */
  fits(id: string): boolean;
  run(id: string): Promise<unknown>;
}

/**
 * Above a list of which several are ticked: what can be done with all of them. One after the other;
 * those that are refused stay ticked, with the reason.
 */
export function BulkBar({
  selection,
  listed,
  actions,
  onDone,
}: {
  selection: Selection;
  listed: number;
  actions: readonly BulkAction[];
  onDone: () => Promise<unknown>;
}) {
  const texts = useTexts(bulkTexts);
  const work = useWork(selection, onDone);
  const [asked, setAsked] = useState<BulkAction>();
  if (!selection.isOn) {
    return (
      <Button small onClick={() => selection.turn(true)}>
        {texts.start}
      </Button>
    );
  }
  const fitting = (action: BulkAction) => selection.chosen.filter((id) => action.fits(id));
  return (
    <div className="w-full space-y-2 rounded-lg bg-inset p-2">
      <div className="flex flex-wrap items-center gap-2">
        <label className="flex items-center gap-2 px-1">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            aria-label={texts.all}
            checked={listed > 0 && selection.chosen.length === listed}
            onChange={selection.toggleAll}
          />
          <span role="status" className="text-sm whitespace-nowrap">
            {work.progress ?? texts.chosen(number(selection.chosen.length))}
          </span>
        </label>
        {actions.map((action) => (
          <Button
            key={action.label}
            small
            disabled={fitting(action).length === 0 || work.progress !== undefined}
            onClick={() => setAsked(action)}
          >
            {texts.of(action.label, number(fitting(action).length))}
          </Button>
        ))}
        <Button small look="quiet" onClick={() => selection.turn(false)}>
          {texts.stop}
        </Button>
      </div>
      {work.failure ? <Alert>{work.failure}</Alert> : null}
      {asked ? (
        <Confirm
          open
          title={texts.of(asked.label, number(fitting(asked).length))}
          action={asked.label}
          busy={false}
          onClose={() => setAsked(undefined)}
          onConfirm={() => {
            setAsked(undefined);
            void work.start(asked, fitting(asked));
          }}
        >
          {asked.help}
        </Confirm>
      ) : null}
    </div>
  );
}

/** Does it with one after the other, so that the server is asked for one thing at a time. */
function useWork(selection: Selection, onDone: () => Promise<unknown>) {
  const words = useWords();
  const texts = useTexts(bulkTexts);
  const [progress, setProgress] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const start = async (action: BulkAction, ids: readonly string[]) => {
    const refused: string[] = [];
    let why = '';
    setFailure(undefined);
    try {
      for (const [at, id] of ids.entries()) {
        setProgress(texts.progress(number(at + 1), number(ids.length)));
        await action.run(id).catch((error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          refused.push(id);
          why ||= failureText(error, words);
        });
      }
      selection.choose(refused);
      if (refused.length > 0) setFailure(texts.failed(number(refused.length), number(ids.length), why));
      else notify('good', texts.done(number(ids.length)));
    } finally {
      setProgress(undefined);
      await onDone();
    }
  };
  return { progress, failure, start };
}
