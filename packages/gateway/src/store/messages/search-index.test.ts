import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { queryWords, searchText } from '../../core/search-text.ts';
import { listMessages } from './message-list.ts';
import { indexMessages } from './search-index.ts';

const CHAT = '15550002222@s.whatsapp.net';

forEachStore((open, engine) => {
  let opened: TestStore;
  let lineId: string;
  beforeEach(async () => {
    opened = await open();
    lineId = (await insertLine(opened.store)).id;
  });
  afterEach(() => opened.close());

  async function say(...bodies: string[]): Promise<void> {
    for (const body of bodies) {
      const facts = JSON.stringify({
        sender: { jid: CHAT },
        chat: { jid: CHAT },
        mentions: [],
        pushName: '',
        content: {},
      });
      await opened.store.db
        .insertInto('messages')
        .values({
          ...{
            line_id: lineId,
            message_id: body,
            chat_jid: CHAT,
            sender_jid: CHAT,
            from_me: 0,
            kind: 'text',
            body,
            facts,
          },
          ...{ search: searchText(body), proto: null, status: 'delivered', timestamp: 1, created_at: 1 },
        })
        .execute();
    }
  }
  const found = async (query: string) => {
    const { messages } = await listMessages(opened.store, lineId, { words: queryWords(query), limit: 100 });
    return messages.map(({ messageId }) => messageId).sort();
  };
  const index = () => (engine === 'sqlite' ? indexMessages(opened.store, 1) : Promise.resolve());
  const edit = (id: string, body: string) =>
    opened.store.db
      .updateTable('messages')
      .set({ search: searchText(body) })
      .where('message_id', '=', id)
      .execute();

  test('a message is found by its words whether it is in the index yet or not', async () => {
    const looks = async () => [
      await found('pão'),
      await found('quent frango'),
      await found('frang'),
      await found('rango'),
      await found("100 50'"),
    ];
    await say('Pão quente', 'frango quente', '100% 50', '🎉');
    const before = await looks();
    expect(before).toEqual([['Pão quente'], ['frango quente'], ['frango quente'], [], ['100% 50']]);
    await index();
    expect(await looks()).toEqual(before);
    await say('frangos', 'pao de queijo');
    expect(await found('frang')).toEqual(['frango quente', 'frangos']);
    expect(await found('pao')).toEqual(['Pão quente', 'pao de queijo']);
  });

  test('what is edited or deleted is found by what it says now, on both sides of the mark', async () => {
    await say('alpha', 'beta', 'gamma');
    await index();
    await say('delta', 'epsilon');
    await edit('alpha', 'changed');
    await edit('delta', 'changed too');
    await opened.store.db.deleteFrom('messages').where('message_id', 'in', ['beta', 'epsilon']).execute();
    const looks = async () =>
      Promise.all(['alpha', 'changed', 'beta', 'gamma', 'delta', 'epsilon'].map((word) => found(word)));
    const now = [[], ['alpha', 'delta'], [], ['gamma'], [], []];
    expect(await looks()).toEqual(now);
    await index();
    expect(await looks()).toEqual(now);
    await edit('delta', '');
    expect(await found('changed')).toEqual(['alpha']);
    if (engine === 'sqlite')
      await sql`insert into messages_search (messages_search) values ('integrity-check')`.execute(opened.store.db);
  });

  test('few messages wait for more, many are indexed to the last one', async () => {
    if (engine === 'postgres') return;
    await say(...Array.from({ length: 255 }, (_, at) => `few ${at}`));
    expect(await indexMessages(opened.store)).toBe(0);
    await say(...Array.from({ length: 600 }, (_, at) => `many ${at}`));
    expect(await indexMessages(opened.store)).toBe(855);
    expect(await indexMessages(opened.store, 1)).toBe(0);
    expect(await found('many 599')).toEqual(['many 599']);
  });
});
