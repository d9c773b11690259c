import { invalid } from '../../core/app-error.ts';
import type { WebhookFilters } from '../../core/webhooks.ts';
import { customHeadersProblem } from '../../webhooks/custom-headers.ts';

/** What hangs on a webhook beside where it goes and what it wants. */
export interface WebhookSettings {
  filters?: WebhookFilters | null;
  /** The owner's own headers, sent with every delivery; never shown again. */
  headers?: Record<string, string> | null;
  strictOrder?: boolean;
}

/** Refuses headers that cannot be sent, naming the one that is wrong. */
export function checkHeaders(headers: Record<string, string> | null | undefined): void {
  const problem = headers ? customHeadersProblem(headers) : undefined;
  if (problem !== undefined) throw invalid('headers', `${problem}.`);
}
