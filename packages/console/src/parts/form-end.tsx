import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';
import { Alert } from './layout.tsx';

/** The end of a form in a dialog: what was refused, the way out, and the button that does it. */
export function FormEnd(props: {
  /** The button's words. */
  action: string;
  onClose: () => void;
  busy?: boolean;
  error?: string | undefined;
}) {
  const words = useWords();
  return (
    <>
      {props.error ? <Alert>{props.error}</Alert> : null}
      <div className="flex justify-end gap-2">
        <Button onClick={props.onClose}>{words.cancel}</Button>
        <Button type="submit" look="main" busy={props.busy ?? false}>
          {props.action}
        </Button>
      </div>
    </>
  );
}
