import { useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Secret } from '../../parts/copyable.tsx';
import { Alert } from '../../parts/layout.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { Line } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';
import { bodyOf, keepLook, lastLook } from './connect-look.ts';
import { ConnectPageForm } from './connect-page-form.tsx';

/** A page to send to the holder of the phone, when that is another person. */
export function ConnectLink({ line }: { line: Line }) {
  const words = useWords();
  const { busy, run, error, fieldError } = useAction();
  const [look, setLook] = useState(lastLook);
  const [url, setUrl] = useState<string>();
  const make = () =>
    run(async () => {
      setUrl((await api<{ url: string }>('POST', `/lines/${line.line_id}/connect-link`, bodyOf(look))).url);
      keepLook(look);
    });
  return (
    <div className="mt-5 space-y-3 border-t border-edge pt-4">
      <p className="text-muted">{words.pair.linkLead}</p>
      {url ? (
        <Secret text={url} label={words.pair.link} />
      ) : (
        <>
          <ConnectPageForm look={look} onChange={setLook} fieldError={fieldError} />
          <Button busy={busy} onClick={() => void make()}>
            {words.pair.link}
          </Button>
        </>
      )}
      {error ? <Alert>{error}</Alert> : null}
    </div>
  );
}
