import type { ReactNode } from 'react';
import { useWords } from '../words/words.ts';
import { Button } from './button.tsx';
import { Modal } from './modal.tsx';

/** Asks before something that cannot be taken back. */
export function Confirm(props: {
  open: boolean;
  title: string;
  action: string;
  busy: boolean;
  onClose: () => void;
  onConfirm: () => void;
  children: ReactNode;
}) {
  const words = useWords();
  return (
    <Modal open={props.open} onClose={props.onClose} title={props.title}>
      <div className="text-muted">{props.children}</div>
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button onClick={props.onClose}>{words.cancel}</Button>
        <Button look="danger" busy={props.busy} onClick={props.onConfirm}>
          {props.action}
        </Button>
      </div>
    </Modal>
  );
}
