import { ApiError } from './api.ts';

const RELOADED = 'ponte.reloaded-at';
/** A page that was reloaded for the new version just now is not reloaded again. */
const ONCE_IN_MS = 60_000;

/**
 * Fetches a page's code. When that fails because the server is away, the page says so and stays
 * where it is; when the server is there, it has a newer console than this one: the page is
 * reloaded.
 */
export const fetched =
  <T>(load: () => Promise<T>): (() => Promise<T>) =>
  () =>
    load().catch(async (error: unknown) => {
      const answer = await fetch('/healthz', { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      if (!answer?.ok) throw new ApiError(0, 'no_answer', 'The server does not answer.');
      const at = Number(sessionStorage.getItem(RELOADED) ?? 0);
      if (Date.now() - at < ONCE_IN_MS) throw error;
      sessionStorage.setItem(RELOADED, String(Date.now()));
      location.reload();
      return new Promise<T>(() => {});
    });
