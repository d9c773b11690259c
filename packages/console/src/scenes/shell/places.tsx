import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  BookOpen,
  ChartColumn,
  Ellipsis,
  KeyRound,
  LayoutDashboard,
  LibraryBig,
  Play,
  ScrollText,
  Settings,
  ShieldCheck,
  Smartphone,
  Webhook,
} from 'lucide-react';
import { useState } from 'react';
import { mode } from '../../mode.ts';
import { problemsQuery } from '../../queries/problems.ts';
import { problemTexts } from '../../words/problems.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** The pages of the main menu. */
export const PLACES = [
  ['/', 'overview', LayoutDashboard],
  ['/lines', 'lines', Smartphone],
  ['/approvals', 'approvals', ShieldCheck],
  ['/webhooks', 'webhooks', Webhook],
  ['/log', 'log', ScrollText],
  ['/keys', 'keys', KeyRound],
  ['/usage', 'usage', ChartColumn],
  ['/playground', 'playground', Play],
  ['/docs/api', 'docs', BookOpen],
  ['/settings', 'settings', Settings],
] as const;

/** The main menu beside the page. */
export function Places({ label }: { label: string }) {
  const words = useWords();
  return (
    <nav aria-label={label}>
      <ul className="space-y-1">
        {PLACES.map(([to, name, Icon]) => (
          <li key={to}>
            <Link
              to={to}
              className="flex items-center gap-3 rounded-lg px-3 py-2 text-muted hover:bg-inset hover:text-text"
              activeOptions={{ exact: to === '/' }}
              activeProps={{ className: '!bg-soft !text-accent font-semibold' }}
            >
              <Icon aria-hidden className="size-5 shrink-0" />
              {words.nav[name]}
              <Mark of={name} />
            </Link>
          </li>
        ))}
        <li>
          <a
            href="/docs"
            className="flex items-center gap-3 rounded-lg px-3 py-2 text-muted hover:bg-inset hover:text-text"
          >
            <LibraryBig aria-hidden className="size-5 shrink-0" />
            {words.nav.manual}
          </a>
        </li>
      </ul>
    </nav>
  );
}

/**
 * The number of things in a place that need attention: lines that are down, approvals that wait,
 * webhooks that fail.
 */
function Mark({ of, isSmall = false }: { of: (typeof PLACES)[number][1]; isSmall?: boolean }) {
  const texts = useTexts(problemTexts);
  const { data } = useQuery(problemsQuery(mode.use()));
  if (!data) return null;
  const failing = data.problems.filter(({ kind }) => kind === 'webhook_failing').length;
  const counts: Record<string, number> = {
    overview: (data.disk ? 1 : 0) + (data.clock ? 1 : 0),
    lines: data.problems.length - failing,
    approvals: data.approvals.waiting,
    webhooks: failing,
  };
  const count = counts[of] ?? 0;
  if (count === 0) return null;
  const isWaiting = of === 'approvals';
  return (
    <span
      className={`rounded-full px-1.5 text-xs font-semibold whitespace-nowrap ${isSmall ? 'absolute top-1 left-1/2 ml-2' : 'ml-auto'} ${
        isWaiting ? 'bg-warn-soft text-warn' : 'bg-danger-soft text-danger'
      }`}
    >
      <span aria-hidden>{count}</span>
      <span className="sr-only">{isWaiting ? texts.waiting(count) : texts.wrong(count)}</span>
    </span>
  );
}

/** Places that a phone's bar has room for; the others are a tap further. */
const IN_BAR = 4;

/** The main menu below the page, on phones. */
export function PlacesBar({ label }: { label: string }) {
  const words = useWords();
  const navigate = useNavigate();
  const [isOpen, setIsOpen] = useState(false);
  const item = 'flex w-full flex-col items-center gap-0.5 py-2 text-xs text-muted';
  const active = { className: '!text-accent font-semibold' };
  return (
    <nav aria-label={label}>
      {isOpen ? (
        <ul className="grid grid-cols-3 gap-2 border-b border-edge p-3">
          {PLACES.slice(IN_BAR).map(([to, name, Icon]) => (
            <li key={to}>
              <button
                type="button"
                className={`${item} rounded-lg bg-inset`}
                onClick={() => {
                  setIsOpen(false);
                  void navigate({ to });
                }}
              >
                <Icon aria-hidden className="size-5 shrink-0" />
                {words.nav[name]}
              </button>
            </li>
          ))}
          <li>
            <a href="/docs" className={`${item} rounded-lg bg-inset`}>
              <LibraryBig aria-hidden className="size-5 shrink-0" />
              {words.nav.manual}
            </a>
          </li>
        </ul>
      ) : null}
      <ul className="flex">
        {PLACES.slice(0, IN_BAR).map(([to, name, Icon]) => (
          <li key={to} className="relative min-w-0 flex-1">
            <Link
              to={to}
              className={item}
              activeOptions={{ exact: to === '/' }}
              activeProps={active}
              onClick={() => setIsOpen(false)}
            >
              <Icon aria-hidden className="size-5 shrink-0" />
              <span className="max-w-full truncate">{words.nav[name]}</span>
              <Mark of={name} isSmall />
            </Link>
          </li>
        ))}
        <li className="min-w-0 flex-1">
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)} className={item}>
            <Ellipsis aria-hidden className="size-5 shrink-0" />
            {words.nav.more}
          </button>
        </li>
      </ul>
    </nav>
  );
}
