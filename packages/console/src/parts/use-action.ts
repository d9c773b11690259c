import { useState } from 'react';
import { ApiError } from '../api.ts';
import { useWords } from '../words/words.ts';
import { failureText } from './failure.tsx';

/**
 * Work that a person started: runs once at a time; what went wrong is in `error`, and of a field in
 * `fieldError(path)`.
 */
export function useAction() {
  const words = useWords();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError>();
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    run,
    clear: () => setFailure(undefined),
    error: failure && failureText(failure, words),
    /** Its code, for those who know better words. */
    code: failure?.code,
    fieldError: (path: string) => failure?.details.find((detail) => detail.path === path)?.message,
  };
}
