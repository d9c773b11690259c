import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Export } from '../../parts/export.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Empty, Loading, PageHead } from '../../parts/layout.tsx';
import { lineName } from '../../parts/line-name.ts';
import { dateTime, number } from '../../parts/time.ts';
import { type Found, searchQuery } from '../../queries/search.ts';
import { searchAllTexts } from '../../words/search-all.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** Messages of all lines with these words, each leading to its chat. */
export function SearchAll() {
  const words = useWords();
  const texts = useTexts(searchAllTexts);
  const { q = '' } = useSearch({ from: '/inside/search' });
  const navigate = useNavigate();
  const { data, error, isLoading } = useQuery(searchQuery(mode.use(), q));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const wanted = String(new FormData(event.currentTarget).get('q') ?? '').trim();
    void navigate({ to: '/search', search: (before) => ({ ...before, q: wanted || undefined }) });
  };
  return (
    <>
      <PageHead title={texts.title} lead={texts.lead} />
      <search>
        <form onSubmit={submit} className="mb-4 flex flex-wrap items-end gap-2">
          <div className="w-full max-w-md">
            <TextField key={q} label={texts.words} name="q" type="search" maxLength={256} defaultValue={q} autoFocus />
          </div>
          <Button type="submit" look="main" busy={isLoading}>
            {words.search}
          </Button>
        </form>
      </search>
      {error ? <Failure error={error} /> : null}
      {isLoading ? <Loading label={words.loading} /> : null}
      {data && data.failed.length > 0 ? (
        <Alert>{texts.failed(data.failed.map((line) => lineName(line, words)).join(', '))}</Alert>
      ) : null}
      {data && data.asked < data.all ? (
        <Alert tone="busy">{texts.some(number(data.asked), number(data.all))}</Alert>
      ) : null}
      {data?.found.length === 0 ? <Empty title={texts.nothing} /> : null}
      {data && data.found.length > 0 ? (
        <section aria-label={texts.title}>
          <ul className="divide-y divide-edge overflow-hidden rounded-xl border border-edge bg-panel">
            {data.found.map((one) => (
              <Hit key={`${one.line.line_id} ${one.message.message_id}`} of={one} />
            ))}
          </ul>
          <div className="mt-3 flex justify-end">
            <Export
              name="messages"
              rows={() => data.found.map(({ line, message }) => ({ line_id: line.line_id, ...message }))}
            />
          </div>
        </section>
      ) : null}
    </>
  );
}

function Hit({ of: { line, message } }: { of: Found }) {
  const words = useWords();
  return (
    <li>
      <Link
        to="/lines/$lineId/chats"
        params={{ lineId: line.line_id }}
        search={{ chat: message.jid }}
        className="block px-4 py-2.5 hover:bg-inset"
      >
        <span className="flex flex-wrap justify-between gap-x-3 text-sm text-muted">
          <span className="min-w-0 wrap-anywhere">
            <bdi className="font-semibold text-text">{lineName(line, words)}</bdi>
            {' · '}
            <bdi>{message.name || (message.jid.split('@')[0] ?? '')}</bdi>
          </span>
          <span className="whitespace-nowrap">{dateTime(new Date(message.timestamp * 1_000).toISOString())}</span>
        </span>
        <span dir="auto" className="line-clamp-3 wrap-anywhere">
          {message.from_me ? '→ ' : ''}
          {message.body || `[${message.type}]`}
        </span>
      </Link>
    </li>
  );
}
