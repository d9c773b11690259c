import { ApiError } from '../api.ts';
import { errorSentence } from '../words/errors.ts';
import { useWords, type Words } from '../words/words.ts';
import { Alert } from './layout.tsx';

/**
 * What went wrong, in the language of the page where its code has a sentence, with the fields it
 * names.
 */
export function failureText(error: Error, words: Words): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.status === 0) return words.noAnswer;
  const sentence = errorSentence(error.code);
  if (sentence === undefined) return error.message;
  const fields = error.details.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  return [sentence, ...fields].join(' ');
}

/** An answer that did not come, or was a refusal. */
export function Failure({ error }: { error: Error }) {
  return <Alert>{failureText(error, useWords())}</Alert>;
}
