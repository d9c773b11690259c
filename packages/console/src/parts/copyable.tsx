import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';

const SAID_MS = 2_000;

/** `name`: what is copied, for those who cannot see where the button stands. */
export function CopyButton({ text, name }: { text: string; name?: string }) {
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
      <span aria-live="polite">{copied ? words.copied : words.copy}</span>
      {name ? <span className="sr-only">: {name}</span> : null}
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
    <div className="overflow-hidden rounded-lg bg-inset">
      <div className="flex justify-end border-b border-edge p-1.5">
        <CopyButton text={code} name={label} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls has to be reachable by keyboard */}
      <pre tabIndex={0} className="relative max-h-96 overflow-auto p-3 font-mono text-sm">
        <code>{code}</code>
      </pre>
    </div>
  );
}
