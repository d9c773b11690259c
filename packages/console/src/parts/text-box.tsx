import { type ComponentProps, type KeyboardEvent, useId } from 'react';

/** As long as a WhatsApp text may be. */
export const MAX_TEXT = 65_536;

function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  // Enter may also choose a character in an input method.
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}

/** Where a message is written: grows with its text; Enter sends, Shift+Enter begins a new line. */
export function TextBox({
  label,
  round = false,
  className = '',
  ...rest
}: ComponentProps<'textarea'> & { label: string; round?: boolean }) {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <textarea
        id={id}
        rows={1}
        placeholder={label}
        maxLength={MAX_TEXT}
        dir="auto"
        {...rest}
        onKeyDown={(event) => {
          rest.onKeyDown?.(event);
          if (!event.defaultPrevented) sendOnEnter(event);
        }}
        className={`field-sizing-content block max-h-40 min-h-10 w-full min-w-0 resize-none border border-field bg-panel px-3 py-2 text-text placeholder:text-muted ${
          round ? 'rounded-3xl' : 'rounded-lg'
        } ${className}`}
      />
    </>
  );
}
