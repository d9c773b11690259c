import { AppError } from '../core/app-error.ts';

/** A photo of 100 megapixels decodes to 300 MB; larger ones are an attack, not a portrait. */
export const INPUT_PIXELS_MAX = 100_000_000;
export const CONVERT_SECONDS = 15;

type Sharp = typeof import('sharp')['default'];

let found: Promise<Sharp | undefined> | undefined;

/**
 * The picture library; undefined when it is not installed: an installation without it does
 * everything but converting pictures.
 */
export function findSharp(): Promise<Sharp | undefined> {
  found ??= import('sharp').then(
    (module) => module.default,
    () => undefined,
  );
  return found;
}

/** The picture library. Rejects with `unavailable` and the remedy when it is not installed. */
export async function requireSharp(): Promise<Sharp> {
  const sharp = await findSharp();
  if (sharp) return sharp;
  const message = 'This installation cannot convert pictures. Ask its operator to install the package sharp.';
  throw new AppError('unavailable', {}, { message });
}
