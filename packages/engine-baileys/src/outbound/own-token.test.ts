import { expect, test } from 'vitest';
import type { SignalDataTypeMap } from '../baileys.ts';
import { ownTokenFor, type TokenSocket } from './own-token.ts';

const LID = '2002@lid';
const PN = '15550002222@s.whatsapp.net';
const settle = () => new Promise((resolve) => setImmediate(resolve));

function setUp(isRefused = false) {
  const stored: { [id: string]: SignalDataTypeMap['tctoken'] } = {};
  const given: [string[], number | undefined][] = [];
  const sock = {
    authState: {
      keys: {
        get: async (_kind: string, ids: string[]) =>
          Object.fromEntries(ids.flatMap((id) => (stored[id] ? [[id, stored[id]]] : []))),
        set: async ({ tctoken }: { tctoken: typeof stored }) => void Object.assign(stored, tctoken),
      },
    },
    signalRepository: {
      lidMapping: {
        getLIDForPN: async (pn: string) => (pn === PN ? LID : null),
        getPNForLID: async (lid: string) => (lid === LID ? PN : null),
      },
    },
    serverProps: { lidTrustedTokenIssueToLid: false },
    issuePrivacyTokens: async (jids: string[], t?: number) => {
      given.push([jids, t]);
      if (isRefused) throw new Error('not now');
      return { tag: 'iq', attrs: {} };
    },
  } as unknown as TokenSocket;
  return { sock, stored, given };
}
const now = () => Math.floor(Date.now() / 1_000);

test('a person gets the token once in seven days, however much is written, under either address', async () => {
  const { sock, given, stored } = setUp();
  const at = now();
  const first = await ownTokenFor(sock, LID, at);
  // Two messages at once: the second one finds the note.
  expect(await ownTokenFor(sock, LID, at)).toBeUndefined();
  expect(given).toEqual([]);
  first?.give();
  await settle();
  expect(given).toEqual([[[PN], at]]);
  expect(await ownTokenFor(sock, PN, at)).toBeUndefined();
  const entry = stored[LID];
  if (entry) entry.senderTimestamp = at - 8 * 24 * 60 * 60;
  expect(await ownTokenFor(sock, PN, at)).toBeDefined();
});

test('what the person gave stays beside the note', async () => {
  const { sock, stored } = setUp();
  stored[LID] = { token: Buffer.from('theirs'), timestamp: '170' };
  (await ownTokenFor(sock, LID, now()))?.give();
  await settle();
  expect(stored[LID]).toMatchObject({ token: Buffer.from('theirs'), timestamp: '170' });
});

test('a message that did not leave, and a token that WhatsApp did not take, leave it to the next one', async () => {
  const { sock, given } = setUp(true);
  (await ownTokenFor(sock, LID, now()))?.keepBack();
  await settle();
  expect(given).toEqual([]);
  const again = await ownTokenFor(sock, LID, now());
  again?.give();
  again?.keepBack();
  await settle();
  expect(given).toHaveLength(1);
  expect(await ownTokenFor(sock, LID, now())).toBeDefined();
});
