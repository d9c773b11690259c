import { expect, test } from 'vitest';
import { proto } from '../baileys.ts';
import { protoFields } from './proto-fields.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
async function read(bytes: Uint8Array, size: number, max = 1_000_000) {
  const fields: { number: number; bytes: Uint8Array }[] = [];
  for await (const field of protoFields(inPieces(bytes, size), max)) fields.push(field);
  return fields;
}

const history = proto.HistorySync.encode({
  syncType: proto.HistorySync.HistorySyncType.RECENT,
  conversations: [{ id: '1@lid', name: 'x'.repeat(100_000) }, { id: '2@lid' }],
  chunkOrder: 300,
  pushnames: [{ id: '1@lid', pushname: 'One' }],
}).finish();

test.each([1, 7, 4_096, 1_000_000])('fields come whole, however the bytes arrive (pieces of %i)', async (size) => {
  const fields = await read(history, size);
  expect(fields.map(({ number }) => number)).toEqual([2, 2, 7]);
  expect(proto.Conversation.decode(fields[0]?.bytes ?? new Uint8Array()).name).toHaveLength(100_000);
  expect(proto.Conversation.decode(fields[1]?.bytes ?? new Uint8Array()).id).toBe('2@lid');
  expect(proto.Pushname.decode(fields[2]?.bytes ?? new Uint8Array()).pushname).toBe('One');
});

test('what is too large, cut off, or no protobuf at all is refused', async () => {
  await expect(read(history, 512, 50_000)).rejects.toThrow('too large');
  await expect(read(history.subarray(0, -1), 512)).rejects.toThrow('ends within a field');
  await expect(read(Buffer.alloc(20, 0xff), 5)).rejects.toThrow('no protobuf');
});
