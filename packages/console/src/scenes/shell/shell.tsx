import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { Moon, Sun } from 'lucide-react';
import { useEffect, useId } from 'react';
import { api } from '../../api.ts';
import { listen, useLiveState } from '../../live.ts';
import { type Mode, mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Alert } from '../../parts/layout.tsx';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import { stateQuery } from '../../queries/account.ts';
import { theme, toggleTheme } from '../../theme.ts';
import { chooseLocale, LOCALES, type Locale, locale, useWords } from '../../words/words.ts';
import { PaletteKey } from './palette-key.tsx';
import { Places, PlacesBar } from './places.tsx';
import { Watch } from './watch.tsx';

/** The frame around every page of a signed-in user. */
export function Shell() {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data: state } = useQuery(stateQuery);
  const isSignedIn = state?.user !== null && state !== undefined;

  useEffect(() => (isSignedIn ? listen() : undefined), [isSignedIn]);
  useEffect(() => {
    if (state && !state.user) void navigate({ to: '/sign-in' });
  }, [state, navigate]);

  const leave = useAction();
  const signOut = async () => {
    // Without an answer the session may still be there: the page says so instead of leaving.
    if (!(await leave.run(() => api('DELETE', '/session')))) return;
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
          <PaletteKey />
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
        <Watch />
        <LiveBand />
        {leave.error ? <Alert>{leave.error}</Alert> : null}
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
    <Link to="/" className="flex items-center gap-2 text-lg font-bold tracking-tight">
      <img src="/ponte.svg" alt="" className="size-8" />
      Ponte
    </Link>
  );
}

/** Which of the two worlds the pages show. An object has one of them: its list is shown then. */
function ModeSwitch() {
  const words = useWords();
  const shown = mode.use();
  const group = useId();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const turnTo = (value: Mode) => void navigate({ to: `/${pathname.split('/')[1] ?? ''}`, search: { mode: value } });
  const option = (value: Mode) => (
    <label
      className={`flex-1 cursor-pointer rounded-md px-3 py-1 text-center whitespace-nowrap text-sm font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent ${
        shown !== value
          ? 'text-muted'
          : value === 'live'
            ? 'bg-live-soft text-live shadow-sm'
            : 'bg-panel text-text shadow-sm'
      }`}
    >
      <input type="radio" name={group} className="sr-only" checked={shown === value} onChange={() => turnTo(value)} />
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

/** Says on every page of the live mode that what is done here is done for real. */
function LiveBand() {
  const words = useWords();
  if (mode.use() !== 'live') return null;
  return (
    <p className="border-b border-live bg-live-soft px-4 py-1 text-center text-sm font-medium text-live">
      {words.isLive}
    </p>
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
      onChange={(event) => {
        chooseLocale(event.target.value as Locale).catch(() => notify('bad', words.noAnswer));
      }}
      className="min-h-9 w-full min-w-0 flex-1 rounded-lg border border-field bg-panel px-2 text-sm"
    >
      {LOCALES.map(({ name, title }) => (
        <option key={name} value={name} lang={name}>
          {title}
        </option>
      ))}
    </select>
  );
}
