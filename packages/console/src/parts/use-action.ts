import { useMutation } from '@tanstack/react-query';
import { ApiError } from '../api.ts';
import { useWords } from '../words/words.ts';
import { failureText } from './failure.tsx';

/**
 * Work that a person started: runs once at a time; what went wrong is in `error`, and of a field in
 * `fieldError(path)`.
 */
export function useAction() {
  const words = useWords();
  const { isPending, error, mutateAsync, reset } = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
  });
  const failure = error instanceof ApiError ? error : undefined;
  return {
    busy: isPending,
    /** True when it was done. What is no refusal of the server is a bug, and rejects. */
    async run(work: () => Promise<unknown>): Promise<boolean> {
      try {
        await mutateAsync(work);
        return true;
      } catch (thrown) {
        if (!(thrown instanceof ApiError)) throw thrown;
        return false;
      }
    },
    clear: reset,
    error: failure && failureText(failure, words),
    /** Its code, for those who know better words. */
    code: failure?.code,
    fieldError: (path: string) => failure?.details.find((detail) => detail.path === path)?.message,
  };
}
