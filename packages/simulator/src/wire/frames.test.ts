import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameError, FrameReader, frame, HANDSHAKE_FRAME_MAX_BYTES, WA_HEADER } from './frames.ts';

test('frames come out whole and in order, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      (payloads, step) => {
        const bytes = Buffer.concat([WA_HEADER, ...payloads.map(frame)]);
        const reader = new FrameReader();
        const out: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += step) {
          for (const payload of reader.push(bytes.subarray(at, at + step))) out.push(Uint8Array.from(payload));
        }
        expect(out).toEqual(payloads.map((payload) => Uint8Array.from(payload)));
      },
    ),
  );
});

test('an edge-routing block may come before the header', () => {
  const reader = new FrameReader();
  const intro = Buffer.concat([Buffer.from('ED'), Buffer.of(0, 1, 0, 0, 3), Buffer.from('abc')]);
  const frames = [...reader.push(Buffer.concat([intro, WA_HEADER, frame(Uint8Array.of(7))]))];
  expect(frames.map((payload) => [...payload])).toEqual([[7]]);
  expect(Buffer.from(reader.routingInfo ?? []).toString()).toBe('abc');
});

test('another protocol and a frame over the limit are refused', () => {
  expect(() => [...new FrameReader().push(Buffer.from('GET / HTTP/1.1'))]).toThrow(FrameError);
  const tooLong = frame(new Uint8Array(HANDSHAKE_FRAME_MAX_BYTES + 1)).subarray(0, 3);
  expect(() => [...new FrameReader().push(Buffer.concat([WA_HEADER, tooLong]))]).toThrow('over the limit');
});
