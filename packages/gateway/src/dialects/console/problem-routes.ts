import { json, type Route, route } from '../../http/route.ts';
import { rfc3339, rfc3339OrNull } from './answers.ts';
import * as schemas from './schemas.ts';

/** What is wrong, for the list of problems and the marks in the menu. */
export const problemRoutes: Route[] = [
  route({
    tag: 'Problems',
    limit: 'console',
    auth: 'session',
    method: 'GET',
    role: 'viewer',
    path: '/v1/problems',
    operation: 'listProblems',
    summary: 'What is wrong now, oldest first, and what waits for a person',
    answers: { 200: { description: 'Problems.', schema: schemas.problems } },
    command: 'problems.all',
    in: () => ({}),
    out: ({ problems, approvals, disk, clock }) =>
      json(200, {
        problems: problems.map((of) => ({
          kind: of.kind,
          line_id: of.lineId,
          webhook_id: of.kind === 'webhook_failing' ? of.subject : null,
          reason: of.reason,
          since: rfc3339(of.since),
        })),
        approvals: {
          waiting: approvals.waiting,
          expiring: approvals.expiring,
          first_ends_at: rfc3339OrNull(approvals.firstEndsAt),
        },
        disk: disk && { free_bytes: disk.freeBytes, empty: disk.isEmpty },
        clock: clock && { offset_ms: clock.offsetMs, source: clock.source },
      }),
  }),
];
