import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';
import { Secret } from './copyable.tsx';
import { Modal } from './modal.tsx';

/**
 * Shows a secret this once: it goes when the person says that it is copied, and by nothing else.
 */
export function SecretDialog(props: {
  title: string;
  lead: string;
  label: string;
  text: string;
  /** The same secret in another notation, for another client. */
  also?: { lead: string; text: string };
  onClose: () => void;
}) {
  const words = useWords();
  return (
    <Modal open isSealed onClose={props.onClose} title={props.title}>
      <p className="mb-3 text-muted">{props.lead}</p>
      <Secret text={props.text} label={props.label} />
      {props.also ? (
        <>
          <p className="mt-4 mb-3 text-muted">{props.also.lead}</p>
          <Secret text={props.also.text} label={props.also.lead} />
        </>
      ) : null}
      <div className="mt-5 flex justify-end">
        <Button look="main" onClick={props.onClose}>
          {words.iHaveCopiedIt}
        </Button>
      </div>
    </Modal>
  );
}
