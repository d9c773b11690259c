import type { KeyHolder } from '../access/api-keys.ts';
import { AppError } from '../core/app-error.ts';

/** Whether a caller may touch what belongs to a line; null: to the whole account. */
export const mayUseLine = ({ lines }: Pick<KeyHolder, 'lines'>, lineId: string | null): boolean =>
  lines === undefined || (lineId !== null && lines.includes(lineId));

/** Refuses what concerns the whole account to a key that is limited to lines. */
export function requireWholeAccount({ lines }: Pick<KeyHolder, 'lines'>, remedy: string): void {
  if (lines === undefined) return;
  throw new AppError('forbidden', {}, { message: `This API key is limited to some lines. ${remedy}` });
}
