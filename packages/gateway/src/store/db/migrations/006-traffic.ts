import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** What lines and webhooks carried, by hour and by day: what charts are drawn from. */
const STATEMENTS = `
create table line_traffic (
  line_id TEXT not null references lines (id) on delete cascade,
  step INT not null,
  at INT not null,
  received INT not null,
  sent INT not null,
  failed INT not null,
  send_ms INT not null,
  slowest_send_ms INT not null,
  primary key (line_id, step, at)
)CLUSTERED;
create index line_traffic_age on line_traffic (step, at);
create table webhook_traffic (
  webhook_id TEXT not null references webhooks (id) on delete cascade,
  step INT not null,
  at INT not null,
  delivered INT not null,
  failed INT not null,
  answer_ms INT not null,
  slowest_answer_ms INT not null,
  primary key (webhook_id, step, at)
)CLUSTERED;
create index webhook_traffic_age on webhook_traffic (step, at)
`;

/**
 * Older versions count nothing there; what they carry is missing from the charts, and nothing else.
 */
export const traffic: Migration = {
  name: '006-traffic',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
