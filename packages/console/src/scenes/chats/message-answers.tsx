import { useQueryClient } from '@tanstack/react-query';
import { Pencil, Reply, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { notify } from '../../parts/notices.ts';
import { TextBox } from '../../parts/text-box.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { Chat, ListedMessage } from '../../shapes.ts';
import { inboxTexts } from '../../words/inbox.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

const EMOJI = ['👍', '❤️', '😂', '😮', '🙏'];
/** WhatsApp takes edits this long. */
const EDITABLE_S = 15 * 60;

interface AnswersProps {
  lineId: string;
  chat: Chat;
  message: ListedMessage;
  onReply?: (message: ListedMessage) => void;
  onEdit: () => void;
}

/** What can be done with a message: reply, react; an own one can be edited and deleted. */
export function Answers({ message, lineId, chat, onReply, onEdit }: AnswersProps) {
  const words = useWords();
  const texts = useTexts(inboxTexts);
  const client = useQueryClient();
  const { run, busy, error } = useAction();
  const [isRemoving, setIsRemoving] = useState(false);
  const of = { line_id: lineId, jid: chat.jid, message_id: message.message_id };
  const react = (emoji: string) =>
    run(async () => {
      await api('POST', '/messages/react', { ...of, emoji });
      notify('good', words.chats.reacted(emoji));
    });
  const remove = async () => {
    const done = await run(() => api('POST', '/messages/revoke', of));
    setIsRemoving(false);
    if (!done) return;
    notify('good', texts.removed);
    for (const key of ['messages', 'chats']) await client.invalidateQueries({ queryKey: [key, lineId] });
  };
  const isSent = message.from_me && !['pending', 'failed'].includes(message.status) && !message.revoked;
  const isEditable = isSent && message.type === 'text' && Date.now() / 1_000 - message.timestamp < EDITABLE_S;
  const shown = 'inline-flex size-7 items-center justify-center rounded-full text-base hover:bg-inset';
  return (
    <>
      <span className="flex items-center gap-0.5">
        {onReply ? (
          <button type="button" onClick={() => onReply(message)} aria-label={words.chats.reply} className={shown}>
            <Reply aria-hidden className="size-4" />
          </button>
        ) : null}
        {isEditable && onReply ? (
          <button type="button" onClick={onEdit} aria-label={texts.edit} className={shown}>
            <Pencil aria-hidden className="size-3.5" />
          </button>
        ) : null}
        {isSent && onReply ? (
          <button type="button" onClick={() => setIsRemoving(true)} aria-label={texts.remove} className={shown}>
            <Trash2 aria-hidden className="size-3.5" />
          </button>
        ) : null}
        <span
          className={`absolute -top-4 flex rounded-full border border-edge bg-panel px-1 opacity-0 shadow-md transition-opacity group-hover:opacity-100 focus-within:opacity-100 ${
            message.from_me ? 'right-2' : 'left-2'
          }`}
        >
          {EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              disabled={busy}
              onClick={() => void react(emoji)}
              aria-label={words.chats.reactWith(emoji)}
              className={shown}
            >
              <span aria-hidden>{emoji}</span>
            </button>
          ))}
        </span>
      </span>
      {error ? <span className="w-full text-sm text-danger">{error}</span> : null}
      <Confirm
        open={isRemoving}
        title={texts.removeAsk}
        action={texts.remove}
        busy={busy}
        onClose={() => setIsRemoving(false)}
        onConfirm={() => void remove()}
      >
        <p className="line-clamp-4 whitespace-pre-wrap">{message.body}</p>
      </Confirm>
    </>
  );
}

/** Changes the text of an own message where it stands; Escape leaves it as it was. */
export function EditMessage({
  lineId,
  chat,
  message,
  onClose,
}: Omit<AnswersProps, 'onReply' | 'onEdit'> & { onClose: () => void }) {
  const words = useWords();
  const texts = useTexts(inboxTexts);
  const client = useQueryClient();
  const { run, busy, error } = useAction();
  const [text, setText] = useState(message.body);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    const body = { line_id: lineId, jid: chat.jid, message_id: message.message_id, message: text };
    if (!(await run(() => api('POST', '/messages/edit', body)))) return;
    notify('good', texts.edited);
    for (const key of ['messages', 'chats']) await client.invalidateQueries({ queryKey: [key, lineId] });
    onClose();
  };
  return (
    <form onSubmit={(event) => void save(event)} className="w-80 max-w-full space-y-2">
      <TextBox
        label={texts.edit}
        value={text}
        autoFocus
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onClose();
        }}
      />
      {error ? <p className="text-sm text-danger">{error}</p> : null}
      <div className="flex justify-end gap-2">
        <Button small onClick={onClose}>
          {words.cancel}
        </Button>
        <Button small type="submit" look="main" busy={busy}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}
