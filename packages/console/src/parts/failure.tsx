import { type Query, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api.ts';
import { useWords, type Words } from '../words/words.ts';
import { Button } from './button.tsx';
import { Alert } from './layout.tsx';

/**
 * What went wrong, in the language of the page where its code has a sentence, with the fields it
 * names.
 */
export function failureText(error: Error, words: Words): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.status === 0) return words.noAnswer;
  const sentence = words.errorSentences[error.code];
  if (sentence === undefined) return error.message;
  const fields = error.details.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  return [sentence, ...fields].join(' ');
}

const isFailed = ({ state }: Query) => state.status === 'error';

/**
 * An answer that did not come, or was a refusal; what failed on the page can be asked for again.
 */
export function Failure({ error }: { error: Error }) {
  const words = useWords();
  const client = useQueryClient();
  const mayPass = !(error instanceof ApiError) || error.status === 0 || error.status >= 500 || error.status === 429;
  return (
    <Alert>
      <div className="flex flex-wrap items-center justify-between gap-3">
        {failureText(error, words)}
        {mayPass ? (
          <Button small onClick={() => void client.refetchQueries({ predicate: isFailed, type: 'active' })}>
            {words.tryAgain}
          </Button>
        ) : null}
      </div>
    </Alert>
  );
}
