import sharp from 'sharp';
import { expect, test } from 'vitest';
import { squareJpeg } from './square-jpeg.ts';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 200, g: 30, b: 30, alpha: 0.5 } } });

test.each([
  ['a wide PNG', () => picture(1200, 700).png().toBuffer(), 640],
  ['a tall WebP', () => picture(700, 1900).webp().toBuffer(), 640],
  ['a small JPEG', () => picture(300, 200).jpeg().toBuffer(), 200],
  ['a narrow JPEG', () => picture(2000, 500).jpeg().toBuffer(), 500],
  ['a square that fits', () => picture(640, 640).jpeg().toBuffer(), 640],
])('%s becomes a square JPEG', async (_, make, side) => {
  const made = await sharp(await squareJpeg(await make())).metadata();
  expect([made.format, made.width, made.height]).toEqual(['jpeg', side, side]);
});

test('a picture is turned as its camera says, and says nothing of place and time any more', async () => {
  const turned = await picture(600, 400)
    .jpeg()
    .withExif({ IFD0: { Copyright: 'somebody' } })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const made = await sharp(await squareJpeg(turned)).metadata();
  expect([made.orientation, made.exif]).toEqual([undefined, undefined]);
});

test.each([
  ['a text', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['nothing', Buffer.alloc(0)],
  ['half a JPEG', Buffer.from('ffd8ffe000104a46', 'hex')],
])('%s is refused', async (_, bytes) => {
  await expect(squareJpeg(bytes)).rejects.toMatchObject({ code: 'media_rejected' });
});
