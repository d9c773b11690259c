import { readFileSync } from 'node:fs';

/** What a dialect was recorded to say. */
export interface Recorded {
  /** By operation and status, such as `getLine 200`. */
  answers: Record<string, unknown>;
  /** By the name of the event. */
  events: Record<string, unknown>;
}

export const NOTHING_RECORDED: Recorded = { answers: {}, events: {} };

/**
 * Examples for the document, read when it is made. The files are written by
 * `http.examples.test.ts --update`, from transcripts and golden bodies.
 */
export const readRecorded = (dialect: 'bridges' | 'lines'): Recorded =>
  JSON.parse(readFileSync(new URL(`./generated/recorded.${dialect}.json`, import.meta.url), 'utf8')) as Recorded;
