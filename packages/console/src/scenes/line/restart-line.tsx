import { useQueryClient } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { lineName } from '../../parts/line-name.ts';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import type { Line } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** Closes a line's connection and opens it afresh. */
export function RestartLine({ line }: { line: Line }) {
  const words = useWords();
  const texts = useTexts(linesTexts);
  const client = useQueryClient();
  const [isAsking, setIsAsking] = useState(false);
  const { busy, run, error } = useAction();
  const restart = async () => {
    const done = await run(() => api('POST', `/lines/${line.line_id}/restart`));
    setIsAsking(false);
    if (done) notify('good', texts.restarted);
    for (const key of ['line', 'process']) await client.invalidateQueries({ queryKey: [key, line.line_id] });
  };
  return (
    <>
      <Button onClick={() => setIsAsking(true)}>
        <RotateCw aria-hidden className="size-4" />
        {texts.restart}
      </Button>
      {error ? <p className="w-full text-danger">{error}</p> : null}
      <Confirm
        open={isAsking}
        title={`${texts.restart}: ${lineName(line, words)}`}
        action={texts.restart}
        busy={busy}
        onClose={() => setIsAsking(false)}
        onConfirm={() => void restart()}
      >
        {texts.restartHelp}
      </Confirm>
    </>
  );
}
