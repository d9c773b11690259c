import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { ApiError } from '../api.ts';
import { Button, buttonClass } from '../parts/button.tsx';
import { useWords } from '../words/words.ts';

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
  return (
    <main className="mx-auto max-w-lg px-4 py-24 text-center">
      <h1 className="text-2xl font-semibold">{isSilence ? words.noAnswer : words.broken}</h1>
      {isSilence ? null : <p className="mt-2 text-muted">{error instanceof Error ? error.message : String(error)}</p>}
      <p className="mt-6">
        <Button look="main" onClick={reset}>
          {words.tryAgain}
        </Button>
      </p>
    </main>
  );
}
