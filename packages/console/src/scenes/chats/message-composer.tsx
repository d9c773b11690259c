import { useQueryClient } from '@tanstack/react-query';
import { Paperclip, Send, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { fileMessage, MAX_FILE_BYTES } from '../../attach-file.ts';
import { Button } from '../../parts/button.tsx';
import { Alert } from '../../parts/layout.tsx';
import { notify } from '../../parts/notices.ts';
import { TextBox } from '../../parts/text-box.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { ListedMessage } from '../../shapes.ts';
import { inboxTexts } from '../../words/inbox.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { PhoneAttach } from '../phones/phone-attach.tsx';

interface MessageComposerProps {
  lineId: string;
  to: string;
  label: string;
  quoted?: ListedMessage;
  onQuoted?: () => void;
  /** As on a phone: with a menu of what can be sent beside text. */
  isRound?: boolean;
}

/** Writes through a line, as an integration would. */
export function MessageComposer({ lineId, to, label, quoted, onQuoted, isRound = false }: MessageComposerProps) {
  const words = useWords();
  const client = useQueryClient();
  const texts = useTexts(inboxTexts);
  const [text, setText] = useState('');
  const { busy, run, error } = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    const body = { line_id: lineId, to, message: text };
    const done = await run(() =>
      quoted
        ? api('POST', '/messages/reply', { ...body, quoted_message_id: quoted.message_id })
        : api('POST', '/messages/send', body),
    );
    if (!done) return;
    setText('');
    onQuoted?.();
    for (const key of ['messages', 'chats']) await client.invalidateQueries({ queryKey: [key, lineId] });
  };
  const attach = (message: Record<string, unknown>) =>
    void run(async () => {
      await api('POST', ...attached(lineId, to, message));
      for (const key of ['messages', 'chats']) await client.invalidateQueries({ queryKey: [key, lineId] });
    });
  const attachFile = async (file: File) => {
    if (file.size > MAX_FILE_BYTES) return notify('bad', texts.tooLarge);
    attach(await fileMessage(file));
  };
  return (
    <form
      onSubmit={(event) => void submit(event)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const [file] = event.dataTransfer.files;
        if (file) void attachFile(file);
      }}
      className={`space-y-2 border-t border-edge ${isRound ? 'bg-inset p-2' : 'p-3'}`}
    >
      {quoted ? (
        <p className="flex items-center justify-between gap-2 border-l-2 border-accent pl-2 text-sm text-muted">
          <span className="truncate">{quoted.body || `[${quoted.type}]`}</span>
          <button type="button" onClick={onQuoted} aria-label={words.cancel} className="rounded p-1 hover:bg-inset">
            <X aria-hidden className="size-4" />
          </button>
        </p>
      ) : null}
      {error ? <Alert>{error}</Alert> : null}
      <div className={`flex items-end ${isRound ? 'gap-1.5' : 'gap-2'}`}>
        {isRound ? <PhoneAttach onSend={attach} /> : <FileButton onFile={(file) => void attachFile(file)} />}
        <div className="min-w-0 flex-1">
          <TextBox
            label={label}
            value={text}
            round={isRound}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') onQuoted?.();
            }}
            onPaste={(event) => {
              const [file] = event.clipboardData.files;
              if (file) void attachFile(file);
            }}
          />
        </div>
        {isRound ? (
          <button
            type="submit"
            disabled={busy}
            aria-label={`${words.send}: ${label}`}
            className="inline-flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent hover:bg-accent-strong disabled:opacity-60"
          >
            <Send aria-hidden className="size-4" />
          </button>
        ) : (
          <Button type="submit" look="main" busy={busy}>
            <Send aria-hidden className="size-4" />
            {words.send}
          </Button>
        )}
      </div>
    </form>
  );
}

function FileButton({ onFile }: { onFile: (file: File) => void }) {
  const texts = useTexts(inboxTexts);
  return (
    <label
      title={texts.drop}
      className="inline-flex size-10 shrink-0 cursor-pointer items-center justify-center rounded-lg border border-field hover:bg-inset has-focus-visible:outline-2 has-focus-visible:outline-accent"
    >
      <Paperclip aria-hidden className="size-4" />
      <input
        type="file"
        aria-label={texts.attach}
        className="sr-only"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) onFile(file);
        }}
      />
    </label>
  );
}

/** Where the API takes a message of this type, and as what. */
function attached(lineId: string, to: string, message: Record<string, unknown>): [string, object] {
  const { type, data, mime_type, ...fields } = message;
  const body = { line_id: lineId, to, ...fields };
  if (data === undefined) return [`/messages/${String(type)}`, body];
  // What pictures, films and sounds are, their bytes tell.
  return ['/messages/send-media', { ...body, media_type: type, data, ...(type === 'document' ? { mime_type } : {}) }];
}
