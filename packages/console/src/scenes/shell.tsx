import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import {
  BookOpen,
  ChartColumn,
  Ellipsis,
  KeyRound,
  Moon,
  Play,
  Settings,
  ShieldCheck,
  Smartphone,
  Sun,
  Webhook,
} from 'lucide-react';
import { useEffect, useState } from 'react';
import { api } from '../api.ts';
import { listen, useLiveState } from '../live.ts';
import { type Mode, mode } from '../mode.ts';
import { Button } from '../parts/button.tsx';
import { stateQuery } from '../session.ts';
import { theme, toggleTheme } from '../theme.ts';
import { LOCALES, type Locale, locale, useWords } from '../words/words.ts';

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

/** What surrounds every page of somebody who is signed in. */
export function Shell() {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const shownMode = mode.use();
  const { data: state } = useQuery(stateQuery);
  const isSignedIn = state?.user !== null && state !== undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of mode is a different stream
  useEffect(() => (isSignedIn ? listen() : undefined), [isSignedIn, shownMode]);
  useEffect(() => {
    if (state && !state.user) void navigate({ to: '/sign-in' });
  }, [state, navigate]);

  const signOut = async () => {
    await api('DELETE', '/session');
    client.clear();
    await navigate({ to: '/sign-in' });
  };
  if (!state?.user) return null;
  return (
    <div className="md:grid md:min-h-dvh md:grid-cols-[15rem_1fr]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-30 focus:rounded-lg focus:bg-panel focus:p-3"
      >
        {words.skip}
      </a>
      <aside className="hidden border-r border-edge bg-panel md:block">
        <div className="sticky top-0 flex h-dvh flex-col gap-6 overflow-y-auto p-4">
          <Brand />
          <ModeSwitch />
          <Places label={words.nav.main} />
          <div className="mt-auto space-y-3 border-t border-edge pt-4">
            <LiveMark />
            <div className="flex items-center gap-2">
              <LocaleChoice />
              <ThemeButton />
            </div>
            <div className="text-sm">
              <p className="truncate font-medium">{state.user.name}</p>
              <p className="truncate text-muted">
                {words.roles[state.user.role]} · v{state.version}
              </p>
            </div>
            <Button small className="w-full" onClick={() => void signOut()}>
              {words.signOut}
            </Button>
          </div>
        </div>
      </aside>
      <header className="sticky top-0 z-10 flex flex-wrap items-center justify-between gap-2 border-b border-edge bg-panel px-3 py-2 md:hidden">
        <Brand />
        <ModeSwitch />
        <ThemeButton />
      </header>
      <div className="min-w-0">
        {state.insecure ? (
          <p role="alert" className="bg-danger-soft px-4 py-2 text-center text-danger">
            {words.insecure}
          </p>
        ) : null}
        <main id="main" tabIndex={-1} className="mx-auto max-w-6xl px-4 pt-6 pb-28 outline-none md:px-8 md:pt-8">
          <Outlet />
          <div className="mt-12 flex flex-wrap items-center justify-between gap-3 border-t border-edge pt-4 md:hidden">
            <LiveMark />
            <LocaleChoice />
            <Button small onClick={() => void signOut()}>
              {words.signOut}
            </Button>
          </div>
        </main>
      </div>
      <div className="fixed inset-x-0 bottom-0 z-10 border-t border-edge bg-panel md:hidden">
        <PlacesBar label={words.nav.main} />
      </div>
    </div>
  );
}

export function Brand() {
  return (
    <Link to="/lines" className="flex items-center gap-2 text-lg font-bold tracking-tight">
      <img src="/ponte.svg" alt="" className="size-8" />
      Ponte
    </Link>
  );
}

function Places({ label }: { label: string }) {
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

function PlacesBar({ label }: { label: string }) {
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

/** Which of the two worlds the pages show. */
function ModeSwitch() {
  const words = useWords();
  const shown = mode.use();
  const option = (value: Mode) => (
    <label
      className={`flex-1 cursor-pointer rounded-md px-3 py-1 text-center text-sm font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent ${
        shown === value ? 'bg-panel text-text shadow-sm' : 'text-muted'
      }`}
    >
      <input type="radio" name="mode" className="sr-only" checked={shown === value} onChange={() => mode.set(value)} />
      {words.modes[value]}
    </label>
  );
  return (
    <fieldset className="flex rounded-lg bg-inset p-1">
      <legend className="sr-only">{words.mode}</legend>
      {option('test')}
      {option('live')}
    </fieldset>
  );
}

function LiveMark() {
  const words = useWords();
  const state = useLiveState();
  const color = { connecting: 'bg-warn', live: 'bg-accent', stale: 'bg-danger' }[state];
  return (
    <p role="status" className="flex items-center gap-2 text-sm text-muted">
      <span aria-hidden className={`size-2 rounded-full ${color}`} />
      {words.live[state]}
    </p>
  );
}

export function ThemeButton() {
  const words = useWords();
  const isDark = theme.use() === 'dark';
  const Icon = isDark ? Sun : Moon;
  return (
    <button
      type="button"
      onClick={toggleTheme}
      aria-label={isDark ? words.lightTheme : words.darkTheme}
      className="inline-flex size-9 items-center justify-center rounded-lg border border-field hover:bg-inset"
    >
      <Icon aria-hidden className="size-4" />
    </button>
  );
}

export function LocaleChoice() {
  const words = useWords();
  return (
    <select
      aria-label={words.language}
      value={locale.use()}
      onChange={(event) => locale.set(event.target.value as Locale)}
      className="min-h-9 w-full min-w-0 flex-1 rounded-lg border border-field bg-panel px-2 text-sm"
    >
      {Object.entries(LOCALES).map(([name, { title }]) => (
        <option key={name} value={name} lang={name}>
          {title}
        </option>
      ))}
    </select>
  );
}
