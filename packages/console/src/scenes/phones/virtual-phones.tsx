import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { SelectField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { Line, Phone } from '../../shapes.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Faults } from './faults.tsx';
import { LineScreen } from './line-screen.tsx';
import { PhoneScreen } from './phone-screen.tsx';
import { changeSettings, createPhone, listPhones, scanWithVirtualPhone } from './virtual-phone-calls.ts';

/**
 * The other side of a test line: phones that scan, read and write, and a network that can
 * misbehave.
 */
export function VirtualPhones({ line, mayChange }: { line: Line; mayChange: boolean }) {
  const words = useWords();
  const { busy, run, error } = useAction();
  const isPaired = line.phone !== null && line.status !== 'unpaired' && line.status !== 'logged_out';
  if (isPaired) return <TestBench line={line} linePhone={line.phone ?? ''} mayChange={mayChange} />;
  return (
    <Panel title={words.phones.title}>
      <p className="mb-4 text-muted">{words.phones.unpaired}</p>
      {mayChange ? (
        <Button look="main" busy={busy} onClick={() => void run(() => scanWithVirtualPhone(line))}>
          <Smartphone aria-hidden className="size-4" />
          {words.pair.virtual}
        </Button>
      ) : null}
      {error ? (
        <div className="mt-3">
          <Alert>{error}</Alert>
        </div>
      ) : null}
    </Panel>
  );
}

/** Both ends of a chat beside each other. */
function TestBench({ line, linePhone, mayChange }: { line: Line; linePhone: string; mayChange: boolean }) {
  const words = useWords();
  const texts = useTexts(phonesTexts);
  const [chosen, setChosen] = useState<string>();
  const { busy, run, error } = useAction();
  const { data: phones } = useQuery({ queryKey: ['phones'], queryFn: listPhones });
  const others = phones?.filter(({ phone }) => `+${phone}` !== linePhone) ?? [];
  const phone = others.find((one) => one.phone === chosen) ?? others.find(({ name }) => !name.endsWith('(owner)'));
  const add = () => run(async () => setChosen((await createPhone(phones ?? [])).phone));
  return (
    <section aria-label={texts.title} className="mb-8">
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 className="text-lg font-semibold">{texts.title}</h2>
          <p className="text-muted">{texts.lead}</p>
        </div>
        {mayChange ? (
          <Button busy={busy} onClick={() => void add()}>
            <Plus aria-hidden className="size-4" />
            {words.phones.add}
          </Button>
        ) : null}
      </div>
      {error ? <Alert>{error}</Alert> : null}
      {phone ? (
        <div className="grid gap-6 md:grid-cols-2 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_17rem]">
          <PhoneScreen key={phone.phone} phone={phone} linePhone={linePhone} mayChange={mayChange} />
          <LineScreen key={`line ${phone.phone}`} line={line} phone={phone} mayChange={mayChange} />
          <div className="grid content-start gap-6 md:col-span-2 md:grid-cols-2 xl:col-span-1 xl:grid-cols-1">
            <PhoneChoice phones={others} phone={phone} mayChange={mayChange} onChoose={setChosen} />
            {mayChange ? <Faults line={line} /> : null}
          </div>
        </div>
      ) : (
        <div className="grid gap-6 md:grid-cols-2">
          <p className="rounded-xl border border-dashed border-field p-8 text-center text-muted">{words.phones.none}</p>
          {mayChange ? <Faults line={line} /> : null}
        </div>
      )}
    </section>
  );
}

function PhoneChoice(props: { phones: Phone[]; phone: Phone; mayChange: boolean; onChoose: (phone: string) => void }) {
  const { phones, phone, mayChange, onChoose } = props;
  const words = useWords();
  const client = useQueryClient();
  const { run, error } = useAction();
  const setReceipts = (auto_receipts: NonNullable<Phone['settings']>['auto_receipts']) =>
    run(async () => {
      await changeSettings(phone.phone, { auto_receipts });
      await client.invalidateQueries({ queryKey: ['phones'] });
    });
  return (
    <Panel title={words.phones.title}>
      <div className="space-y-4">
        <SelectField label={words.phones.who} value={phone.phone} onChange={(event) => onChoose(event.target.value)}>
          {phones.map((one) => (
            <option key={one.phone} value={one.phone}>
              {one.name} · +{one.phone}
            </option>
          ))}
        </SelectField>
        {mayChange && phone.settings ? (
          <SelectField
            label={words.phones.receipts}
            value={phone.settings.auto_receipts}
            onChange={(event) => void setReceipts(event.target.value as 'none' | 'delivered' | 'read')}
          >
            {(['none', 'delivered', 'read'] as const).map((one) => (
              <option key={one} value={one}>
                {words.phones.receiptKinds[one]}
              </option>
            ))}
          </SelectField>
        ) : null}
        {error ? <Alert>{error}</Alert> : null}
      </div>
    </Panel>
  );
}
