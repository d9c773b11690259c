import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Chats that go (back) to the archive once a message has left. */
const STATEMENTS = `
alter table outbox add column archive_after INT;
create index outbox_archive on outbox (line_id, seq) where archive_after is not null
`;

export const archiveAfterSend: Migration = {
  name: '005-archive-after-send',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
