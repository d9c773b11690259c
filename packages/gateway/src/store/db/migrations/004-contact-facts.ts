import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Whether a contact is a business, as far as WhatsApp said it. */
export const contactFacts: Migration = {
  name: '004-contact-facts',
  breaking: false,
  async up(db, engine) {
    await runSchema(db, engine, 'alter table contacts add column is_business INT not null default 0');
  },
};
