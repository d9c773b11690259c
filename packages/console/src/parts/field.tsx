import { type ComponentProps, type ReactNode, useId } from 'react';

const BOX = 'w-full border border-field bg-panel px-3 text-text placeholder:text-muted';

const EDGED = 'rounded-lg py-2';

interface Frame {
  label: string;
  hint?: ReactNode;
  error?: string;
  hideLabel?: boolean;
}

function Framed({ id, label, hint, error, hideLabel, children }: Frame & { id: string; children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block text-sm font-medium'}>
        {label}
      </label>
      {children}
      {hint ? (
        <p id={`${id}-hint`} className="mt-1 text-sm text-muted">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${id}-error`} className="mt-1 text-sm text-danger">
          {error}
        </p>
      ) : null}
    </div>
  );
}

const described = (id: string, hint: ReactNode, error: string | undefined) =>
  [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined;

export function TextField({ label, hint, error, hideLabel, className = '', ...rest }: Frame & ComponentProps<'input'>) {
  const id = useId();
  return (
    <Framed id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <input
        id={id}
        aria-describedby={described(id, hint, error)}
        aria-invalid={error ? true : undefined}
        {...rest}
        className={`${BOX} ${className.includes('rounded-') ? '' : EDGED} ${className}`}
      />
    </Framed>
  );
}

export function AreaField({
  label,
  hint,
  error,
  hideLabel,
  className = '',
  ...rest
}: Frame & ComponentProps<'textarea'>) {
  const id = useId();
  return (
    <Framed id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <textarea
        id={id}
        aria-describedby={described(id, hint, error)}
        aria-invalid={error ? true : undefined}
        {...rest}
        className={`${BOX} ${className.includes('rounded-') ? '' : EDGED} ${className}`}
      />
    </Framed>
  );
}

export function SelectField({
  label,
  hint,
  error,
  hideLabel,
  className = '',
  children,
  ...rest
}: Frame & ComponentProps<'select'>) {
  const id = useId();
  return (
    <Framed id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <select
        id={id}
        aria-describedby={described(id, hint, error)}
        {...rest}
        className={`${BOX} ${className.includes('rounded-') ? '' : EDGED} ${className}`}
      >
        {children}
      </select>
    </Framed>
  );
}
