import { Link, useNavigate } from '@tanstack/react-router';
import {
  BookOpen,
  ChartColumn,
  Ellipsis,
  KeyRound,
  Play,
  Settings,
  ShieldCheck,
  Smartphone,
  Webhook,
} from 'lucide-react';
import { useState } from 'react';
import { useWords } from '../words/words.ts';

const PLACES = [
  ['/lines', 'lines', Smartphone],
  ['/keys', 'keys', KeyRound],
  ['/approvals', 'approvals', ShieldCheck],
  ['/webhooks', 'webhooks', Webhook],
  ['/usage', 'usage', ChartColumn],
  ['/playground', 'playground', Play],
  ['/docs', 'docs', BookOpen],
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
              activeProps={{ className: '!bg-soft !text-accent font-semibold' }}
            >
              <Icon aria-hidden className="size-5 shrink-0" />
              {words.nav[name]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
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
        </ul>
      ) : null}
      <ul className="flex">
        {PLACES.slice(0, IN_BAR).map(([to, name, Icon]) => (
          <li key={to} className="min-w-0 flex-1">
            <Link to={to} className={item} activeProps={active} onClick={() => setIsOpen(false)}>
              <Icon aria-hidden className="size-5 shrink-0" />
              <span className="max-w-full truncate">{words.nav[name]}</span>
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
