import type { ReactNode } from 'react';

/** A phone's outline with a bar on top; what is in it fills the height. */
export function PhoneFrame(props: {
  label: string;
  title: string;
  lead: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { label, title, lead, actions, children } = props;
  return (
    <section
      aria-label={label}
      className="flex h-[36rem] min-w-0 flex-col overflow-hidden rounded-[2rem] border-[6px] border-bezel bg-panel shadow-lg"
    >
      <header className="flex items-center gap-3 border-b border-edge bg-inset px-4 py-2.5">
        <span
          aria-hidden
          className="inline-flex size-9 shrink-0 items-center justify-center rounded-full bg-accent font-semibold text-on-accent"
        >
          {[...title][0]?.toUpperCase()}
        </span>
        <span className="min-w-0 flex-1 leading-tight">
          <span className="block truncate font-semibold">{title}</span>
          <span className="block truncate text-sm text-muted">{lead}</span>
        </span>
        {actions}
      </header>
      {children}
    </section>
  );
}

/** A round button with a sign on it. */
export function IconButton(props: {
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  tone?: 'plain' | 'danger';
  children: ReactNode;
}) {
  const { label, onClick, disabled, pressed, tone = 'plain', children } = props;
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      disabled={disabled}
      onClick={onClick}
      className={`inline-flex size-9 shrink-0 items-center justify-center rounded-full disabled:opacity-50 ${
        tone === 'danger' ? 'bg-danger-soft text-danger' : pressed ? 'bg-soft text-accent' : 'hover:bg-panel'
      }`}
    >
      {children}
    </button>
  );
}
