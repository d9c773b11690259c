import { useSyncExternalStore } from 'react';

interface Notice {
  id: number;
  tone: 'good' | 'bad';
  text: string;
}

const SHOWN_MS = 6_000;
let notices: readonly Notice[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

/** Says something for a few seconds, also to screen readers. */
export function notify(tone: Notice['tone'], text: string): void {
  lastId += 1;
  const id = lastId;
  change([...notices.slice(-2), { id, tone, text }]);
  setTimeout(() => change(notices.filter((notice) => notice.id !== id)), SHOWN_MS);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export function Notices() {
  const shown = useSyncExternalStore(subscribe, () => notices);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-20 z-40 flex flex-col items-center gap-2 md:bottom-6"
    >
      {shown.map(({ id, tone, text }) => (
        <p
          key={id}
          className={`max-w-lg rounded-lg border px-4 py-2 shadow-lg ${
            tone === 'good' ? 'border-accent bg-soft text-accent' : 'border-danger bg-danger-soft text-danger'
          }`}
        >
          {text}
        </p>
      ))}
    </div>
  );
}
