import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';

const SAID_MS = 2_000;

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  return (
    <Button small onClick={() => void copy()}>
      {copied ? <Check aria-hidden className="size-4" /> : <Copy aria-hidden className="size-4" />}
      <span aria-live="polite">{copied ? words.copied : (label ?? words.copy)}</span>
    </Button>
  );
}

/** A secret that is shown this once. */
export function Secret({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-lg bg-inset p-3">
      <span className="sr-only">{label}: </span>
      <code className="min-w-0 flex-1 break-all font-mono text-sm">{text}</code>
      <CopyButton text={text} />
    </div>
  );
}

/** Text to read and to copy, as it stands. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="relative rounded-lg bg-inset">
      <div className="absolute top-2 right-2">
        <CopyButton text={code} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls has to be reachable by keyboard */}
      <section aria-label={label} tabIndex={0} className="max-h-96 overflow-auto rounded-lg p-3 pr-24">
        <pre className="font-mono text-sm">
          <code>{code}</code>
        </pre>
      </section>
    </div>
  );
}
