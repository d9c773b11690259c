import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { SelectField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import type { Line } from '../../shapes.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { FAULTS, type FaultName, injectFault } from './virtual-phone-calls.ts';

/** Makes the network of a test line misbehave. */
export function Faults({ line }: { line: Line }) {
  const words = useWords();
  const texts = useTexts(phonesTexts);
  const [name, setName] = useState<FaultName>('cut');
  const { busy, run, error } = useAction();
  const inject = async () => {
    if (await run(() => injectFault(line.line_id, FAULTS[name]))) notify('good', words.phones.injected);
  };
  return (
    <Panel title={words.phones.faults}>
      <p className="mb-3 text-sm text-muted">{texts.faultLead}</p>
      <div className="space-y-3">
        <SelectField
          label={texts.faultTitle}
          hideLabel
          value={name}
          onChange={(event) => setName(event.target.value as FaultName)}
        >
          {(Object.keys(FAULTS) as FaultName[]).map((one) => (
            <option key={one} value={one}>
              {texts.faults[one]}
            </option>
          ))}
        </SelectField>
        <Button look="danger" busy={busy} className="w-full" onClick={() => void inject()}>
          {words.phones.inject}
        </Button>
        {error ? <Alert>{error}</Alert> : null}
      </div>
    </Panel>
  );
}
