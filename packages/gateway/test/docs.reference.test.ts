import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AppError, ERRORS, type ErrorCode } from '../src/core/app-error.ts';
import { LINE_REASONS } from '../src/core/line-reasons.ts';
import { errorAnswer as bridgesAnswer } from '../src/dialects/bridges/errors.ts';
import { BRIDGES_EVENTS } from '../src/dialects/bridges/event-schemas.ts';
import { errorAnswer as linesAnswer } from '../src/dialects/lines/errors.ts';
import { LINES_EVENTS } from '../src/dialects/lines/event-schemas.ts';
import type { DocumentedEvent, ErrorAnswer } from '../src/http/route.ts';

/*
 * Pages of the documentation that are made from what the product runs on; `vitest run -u` writes
 * them anew.
 */

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** `code` as a dialect answers it. */
function codeOf({ status, body }: ErrorAnswer): string {
  const { error } = body as { error: string | { code: string } };
  return `\`${typeof error === 'string' ? error : error.code}\` ${status}`;
}

function errorsPage(): string {
  const rows = (Object.keys(ERRORS) as ErrorCode[]).sort().map((code) => {
    const error = new AppError(code);
    const { retryable, message } = ERRORS[code];
    const bridges = codeOf(bridgesAnswer(error));
    const lines = codeOf(linesAnswer(error));
    return `| ${bridges} | ${bridges === lines ? 'the same' : lines} | ${retryable ? 'yes' : 'no'} | ${cell(message)} |`;
  });
  const reasons = Object.entries(LINE_REASONS).map(
    ([code, { means, remedy }]) => `| \`${code}\` | ${cell(means)} | ${cell(remedy ?? '–')} |`,
  );
  return `# Errors and reasons

Made from the catalogue that the server answers from; a test keeps it so.

Every answer carries \`X-Request-Id\`; name it when you ask for help. The Bridges API and the business
errors of the Lines API are flat, \`{"error":"code","message":"…"}\`; authentication, account and server
errors of the Lines API come in an envelope, \`{"ok":false,"error":{"code","message","retryable"}}\`. The
sentence says what to do. \`Retry-After\` says how long to wait, in whole seconds.

## Codes

| Bridges API | Lines API | again later? | cause and remedy |
|---|---|---|---|
${rows.join('\n')}

## Why a line stands as it does

\`status_reason\` in answers, \`reason\` in events.

| reason | means | remedy |
|---|---|---|
${reasons.join('\n')}
`;
}

function eventsPage(): string {
  const section = (title: string, format: string, events: readonly DocumentedEvent[]) => {
    const bodies = Object.values(
      JSON.parse(readFileSync(new URL(`./golden/webhooks.${format}.json`, import.meta.url), 'utf8')) as Record<
        string,
        { event: string }
      >,
    );
    const parts = events.map(({ name, description }) => {
      const body = bodies.find(({ event }) => event === name);
      const example = body ? `\n\n\`\`\`json\n${JSON.stringify(body, null, 2)}\n\`\`\`` : '';
      return `### ${name}\n\n${description}${example}`;
    });
    return `## ${title}\n\n${parts.join('\n\n')}`;
  };
  return `# Event catalogue

Every event in both formats, with a body as receivers get it. Schemas of every member stand in the API
reference and in \`packages/sdk\`. How they are delivered, signed and repeated: [webhooks](webhooks.md).

${section('Lines format', 'lines', LINES_EVENTS)}

${section('Bridges format', 'bridges', BRIDGES_EVENTS)}
`;
}

test('the page of errors is the catalogue', async () => {
  await expect(errorsPage()).toMatchFileSnapshot('../../../docs/errors.md');
});

test('the page of events is what webhooks deliver', async () => {
  await expect(eventsPage()).toMatchFileSnapshot('../../../docs/event-catalogue.md');
});
