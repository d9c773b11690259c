import { useQuery } from '@tanstack/react-query';
import { CircleCheck } from 'lucide-react';
import { type FormEvent, lazy, Suspense, useState } from 'react';
import { api } from '../../api.ts';
import { useLiveLine } from '../../live.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Loading } from '../../parts/layout.tsx';
import { lineName } from '../../parts/line-name.ts';
import { Modal } from '../../parts/modal.tsx';
import { useAction } from '../../parts/use-action.ts';
import { stateQuery } from '../../queries/account.ts';
import type { Line } from '../../shapes.ts';
import { pairingHelpTexts } from '../../words/pairing-help.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { scanWithVirtualPhone } from '../phones/virtual-phone-calls.ts';
import { ConnectLink } from './connect-link.tsx';

const QrCode = lazy(() => import('../../parts/qr-code.tsx').then((module) => ({ default: module.QrCode })));

/**
 * A code is asked for anew well before it stops being valid, should the stream not have brought the
 * next one.
 */
const ASK_EVERY_MS = 10_000;

/**
 * Pairs a line: a QR code that renews itself, or a code to type. Shows success as soon as the
 * stream tells.
 */
export function PairDialog({ line, onClose }: { line: Line; onClose: () => void }) {
  const words = useWords();
  const [way, setWay] = useState<'qr' | 'code'>('qr');
  const isDone = line.status === 'connected';
  return (
    <Modal open onClose={onClose} title={`${words.pair.title}: ${lineName(line, words)}`}>
      {isDone ? (
        <div role="status" className="py-6 text-center">
          <CircleCheck aria-hidden className="mx-auto size-16 text-accent" />
          <p className="mt-3 text-lg font-semibold">{words.pair.done}</p>
          <p className="text-muted">{line.phone}</p>
          <Button look="main" className="mt-6" autoFocus onClick={onClose}>
            {words.close}
          </Button>
        </div>
      ) : (
        <>
          <fieldset className="mb-4 flex rounded-lg bg-inset p-1">
            <legend className="sr-only">{words.pair.way}</legend>
            {(['qr', 'code'] as const).map((one) => (
              <label
                key={one}
                className={`flex-1 cursor-pointer rounded-md px-3 py-1.5 text-center text-sm font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent ${
                  way === one ? 'bg-panel shadow-sm' : 'text-muted'
                }`}
              >
                <input type="radio" name="way" className="sr-only" checked={way === one} onChange={() => setWay(one)} />
                {words.pair[one]}
              </label>
            ))}
          </fieldset>
          {way === 'qr' ? <ByQr line={line} /> : <ByCode line={line} />}
          {line.mode === 'test' ? <ByVirtualPhone line={line} /> : <PairingHelp />}
          <ConnectLink line={line} />
        </>
      )}
    </Modal>
  );
}

/** Lines that a look at the code does not change: they wait for a phone already. */
const WAITING: readonly Line['status'][] = ['unpaired', 'pairing', 'connecting'];

/** What a person may see on the phone instead of the success. */
function PairingHelp() {
  const texts = useTexts(pairingHelpTexts);
  return (
    <details className="mt-4 rounded-lg bg-inset px-4 py-3">
      <summary className="cursor-pointer font-medium">{texts.title}</summary>
      <dl className="mt-3 space-y-2 text-sm">
        {texts.refusals.map(({ sees, does }) => (
          <div key={sees}>
            <dt className="font-medium">{sees}</dt>
            <dd className="text-muted">{does}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function ByQr({ line }: { line: Line }) {
  const words = useWords();
  const live = useLiveLine(line.line_id);
  // Asking for a code begins a pairing: a line that was logged out stays so until the user asks.
  const [isAsked, setIsAsked] = useState(WAITING.includes(line.status));
  const { data, error } = useQuery({
    queryKey: ['qr', line.line_id],
    queryFn: () => api<{ qr: string; expires_at: string }>('GET', `/lines/${line.line_id}/qr`),
    refetchInterval: ASK_EVERY_MS,
    enabled: isAsked,
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });
  const text = live?.qr?.data ?? data?.qr;
  if (!isAsked && !text) {
    return (
      <Button look="main" onClick={() => setIsAsked(true)}>
        {words.pair.showQr}
      </Button>
    );
  }
  return (
    <div className="grid gap-4 sm:grid-cols-[auto_1fr] sm:items-center">
      <div className="mx-auto flex size-60 items-center justify-center overflow-hidden rounded-xl border border-edge">
        {text ? (
          <Suspense fallback={<Loading label={words.loading} />}>
            <QrCode text={text} label={words.pair.qrLabel} />
          </Suspense>
        ) : error ? null : (
          <Loading label={words.pair.waiting} />
        )}
      </div>
      <ol className="list-decimal space-y-2 pl-5 text-muted">
        {words.pair.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {error ? (
        <div className="sm:col-span-2">
          <Failure error={error} />
        </div>
      ) : null}
    </div>
  );
}

function ByCode({ line }: { line: Line }) {
  const words = useWords();
  const [code, setCode] = useState<string>();
  const { busy, run, error, fieldError } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const phone = String(new FormData(event.currentTarget).get('phone'));
    await run(async () =>
      setCode((await api<{ code: string }>('POST', `/lines/${line.line_id}/pair`, { phone })).code),
    );
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-4">
      <TextField
        label={words.pair.phone}
        name="phone"
        type="tel"
        inputMode="tel"
        placeholder="+34600000000"
        required
        hint={words.pair.phoneHint}
        error={fieldError('phone')}
      />
      {code ? (
        <div role="status" className="rounded-xl bg-inset p-4 text-center">
          <p className="font-mono text-3xl tracking-widest">{code}</p>
          <p className="mt-2 text-muted">{words.pair.codeHelp}</p>
        </div>
      ) : null}
      {error && !fieldError('phone') ? <Alert>{error}</Alert> : null}
      <Button type="submit" look="main" busy={busy}>
        {code ? words.pair.newCode : words.pair.getCode}
      </Button>
    </form>
  );
}

function ByVirtualPhone({ line }: { line: Line }) {
  const words = useWords();
  const { data: state } = useQuery(stateQuery);
  const { busy, run, error } = useAction();
  if (!state?.sandbox) return null;
  return (
    <div className="mt-5 space-y-3 border-t border-edge pt-4">
      <p className="text-muted">{words.pair.virtualLead}</p>
      <Button look="main" busy={busy} onClick={() => void run(() => scanWithVirtualPhone(line))}>
        {words.pair.virtual}
      </Button>
      {error ? <Alert>{error}</Alert> : null}
    </div>
  );
}
