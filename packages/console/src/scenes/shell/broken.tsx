import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { ApiError, api } from '../../api.ts';
import { Button, buttonClass } from '../../parts/button.tsx';
import { useAction } from '../../parts/use-action.ts';
import { useWords } from '../../words/words.ts';

export function NotFound() {
  const words = useWords();
  return (
    <main className="mx-auto max-w-lg px-4 py-24 text-center">
      <h1 className="text-2xl font-semibold">{words.notFound}</h1>
      <p className="mt-6">
        <Link to="/lines" className={buttonClass('main')}>
          {words.nav.lines}
        </Link>
      </p>
    </main>
  );
}

/** A page that could not be shown: the server did not answer, or this is a mistake of ours. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const words = useWords();
  const isSilence = error instanceof ApiError && error.status === 0;
  const { busy, run } = useAction();
  // Code that did not come is not asked for again by the browser: the page begins anew. While the
  // server is away that would lead to the browser's own error page.
  const again = async () => {
    if (!isSilence) return reset();
    if (await run(() => api('GET', '/state'))) location.reload();
  };
  return (
    <main className="mx-auto max-w-lg px-4 py-24 text-center">
      <h1 className="text-2xl font-semibold">{isSilence ? words.noAnswer : words.broken}</h1>
      {isSilence ? null : <p className="mt-2 text-muted">{error instanceof Error ? error.message : String(error)}</p>}
      <p className="mt-6">
        <Button look="main" busy={busy} onClick={() => void again()}>
          {words.tryAgain}
        </Button>
      </p>
    </main>
  );
}
