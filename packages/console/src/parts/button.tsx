import type { ComponentProps, ReactNode } from 'react';

type Look = 'main' | 'plain' | 'danger' | 'quiet';

const LOOKS: Record<Look, string> = {
  main: 'bg-accent text-on-accent hover:bg-accent-strong border-transparent',
  plain: 'bg-panel text-text border-field hover:bg-inset',
  danger: 'bg-panel text-danger border-danger hover:bg-danger-soft',
  quiet: 'border-transparent text-text hover:bg-inset',
};

export const buttonClass = (look: Look = 'plain', small = false): string =>
  `inline-flex items-center justify-center gap-2 rounded-lg border font-medium transition-colors disabled:opacity-60 ${
    small ? 'min-h-8 px-2.5 text-sm' : 'min-h-10 px-4'
  } ${LOOKS[look]}`;

/** A button; busy ones say so and take no second press. */
export function Button({
  look = 'plain',
  small = false,
  busy = false,
  children,
  className = '',
  ...rest
}: ComponentProps<'button'> & { look?: Look; small?: boolean; busy?: boolean; children: ReactNode }) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      disabled={busy || rest.disabled}
      className={`${buttonClass(look, small)} ${className}`}
    >
      {busy ? (
        <span aria-hidden className="size-4 animate-spin rounded-full border-2 border-current border-r-transparent" />
      ) : null}
      {children}
    </button>
  );
}
