import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { SelectField } from '../../parts/field.tsx';
import { Panel } from '../../parts/layout.tsx';
import { dateTime } from '../../parts/time.ts';
import { timelineQuery } from '../../queries/line.ts';
import type { LineStatus, TimelineEvent } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { type ReasonText, reasonTexts } from '../../words/reasons.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords, type Words } from '../../words/words.ts';

const KINDS = ['all', 'messages', 'connection'] as const;
type Kind = (typeof KINDS)[number];

/** What happened on a line, newest first, in plain words. */
export function Timeline({ lineId }: { lineId: string }) {
  const words = useWords();
  const texts = useTexts(linesTexts);
  const reasons = useTexts(reasonTexts);
  const [kind, setKind] = useState<Kind>('all');
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(timelineQuery(lineId, kind));
  const events = data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Panel
      title={words.timeline.title}
      actions={
        <div className="w-36">
          <SelectField
            label={texts.kinds}
            hideLabel
            value={kind}
            onChange={(event) => setKind(event.target.value as Kind)}
          >
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {texts.kind[one]}
              </option>
            ))}
          </SelectField>
        </div>
      }
    >
      {error ? <Failure error={error} /> : null}
      {data && events.length === 0 ? <p className="text-muted">{words.timeline.none}</p> : null}
      <ol className="space-y-3">
        {events.map((event) => (
          <li key={event.id} className="grid grid-cols-[auto_1fr] gap-x-3">
            <span aria-hidden className={`mt-2 size-2 rounded-full ${dotOf(event)}`} />
            <div className="min-w-0">
              <p className="break-words">{describe(event, words, reasons.of)}</p>
              <p className="text-sm text-muted">
                <time dateTime={event.created_at}>{dateTime(event.created_at)}</time>
              </p>
            </div>
          </li>
        ))}
      </ol>
      {hasNextPage ? (
        <Button className="mt-4" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {words.more}
        </Button>
      ) : null}
    </Panel>
  );
}

function dotOf({ type, payload }: TimelineEvent): string {
  const { status } = payload;
  if (status === 'failed' || status === 'logged_out' || status === 'disconnected') return 'bg-danger';
  if (type === 'message.undecryptable' || type === 'webhook.disabled') return 'bg-danger';
  return status === 'connected' || type === 'message.received' || type === 'message.sent' ? 'bg-accent' : 'bg-field';
}

const EXCERPT = 120;

/** An event in a sentence. Unknown kinds show their own name. */
function describe({ type, payload }: TimelineEvent, words: Words, reasons: Record<string, ReasonText>): string {
  const { events } = words.timeline;
  if (type === 'line.status') {
    const reason = typeof payload.reason === 'string' ? ` (${reasons[payload.reason]?.means ?? payload.reason})` : '';
    return events.status(words.status[payload.status as LineStatus] ?? String(payload.status)) + reason;
  }
  if (type === 'message.received' || type === 'message.sent') {
    const { content, sender, chat } = payload as {
      content?: { body?: string; kind?: string };
      sender?: Who;
      chat?: Who;
    };
    const text = content?.body ? `: “${content.body.slice(0, EXCERPT)}”` : content?.kind ? `: ${content.kind}` : '';
    return (type === 'message.received' ? events.received(who(sender)) : events.sent(who(chat))) + text;
  }
  if (type === 'message.status') {
    const { status, error } = payload as { status: string; error?: { code: string; message: string } | null };
    const name = words.timeline.messageStatus[status] ?? status;
    return events.messageStatus(name) + (error ? `: ${words.errorSentences[error.code] ?? error.message}` : '');
  }
  return words.timeline.others[type] ?? type;
}

interface Who {
  jid: string;
  pn?: string | null;
}
const who = (party: Who | undefined): string => {
  const jid = party?.pn ?? party?.jid ?? '';
  const [user = '', server] = jid.split('@');
  const digits = user.split(':')[0] ?? '';
  return server === 's.whatsapp.net' ? `+${digits}` : digits;
};
