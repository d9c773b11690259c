import { expect, test } from 'vitest';
import { forEachStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { namedGroups, namelessGroups, noteGroups } from './chat-groups.ts';

const JID = '120363000000000001@g.us';

forEachStore((open) => {
  test('a group keeps its newest subject, whatever order it is told in', async () => {
    const { store, close } = await open();
    try {
      const { db } = store;
      await insertLine(store, 'test', 'acc_1', 'line_1');
      const chat = { line_id: 'line_1', jid: JID, updated_at: 1, is_group: 1, archived: 0, unread_count: 0 };
      await db
        .insertInto('chats')
        .values([chat, { ...chat, jid: '1@lid', is_group: 0 }])
        .execute();
      expect(await namelessGroups(db, 'line_1', 10)).toEqual([JID]);
      const told = async (subject: string, subjectAt: number) => {
        await noteGroups(db, 'line_1', [{ jid: JID, subject, subjectAt }], 1);
        return (await db.selectFrom('chat_groups').select('subject').executeTakeFirst())?.subject;
      };
      expect(await told('', 0)).toBe('');
      expect(await told('new', 9)).toBe('new');
      expect(await told('old', 8)).toBe('new');
      expect(await told('newer', 9)).toBe('newer');
      expect(await namelessGroups(db, 'line_1', 10)).toEqual([]);
      expect(await namedGroups(db, 'line_1', [JID, 'other@g.us'])).toEqual([JID]);
      expect(await namedGroups(db, 'line_2', [JID])).toEqual([]);
    } finally {
      await close();
    }
  });
});
