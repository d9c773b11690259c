import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { findLineById, findLineByNumber, findLineByRef } from '../../store/lines/lines.ts';
import type { Context } from '../context.ts';
import { mayUseLine } from '../line-limits.ts';

/** A line as callers name it: by its id, or (Bridges API) by customer_ref or integer. */
export type LineName = { id: string } | { bridge: string };

/** What a customer_ref is made of. `.` and `..` are folders to whatever handles addresses. */
export const CUSTOMER_REF = /^(?!\.{1,2}$)[A-Za-z0-9._:@+-]{1,128}$/;
const LINE_ID = /^line_[A-Za-z0-9]{1,64}$/;
/** No line has a larger number, and not every database accepts larger integers. */
const LINE_NUMBER = /^\d{1,9}$/;

/**
 * The caller's line. A line of another account or mode, or one that the key is not for, answers
 * like one that does not exist: `line_not_found`. An all-digit name is tried as a customer_ref
 * first, then as a number.
 */
export async function findLine(context: Context, ref: LineName): Promise<Line> {
  const line = await lookUp(context, ref);
  if (!line || !mayUseLine(context.caller, line.id)) throw new AppError('line_not_found');
  return line;
}

async function lookUp({ store, caller }: Context, ref: LineName): Promise<Line | undefined> {
  const owner = { accountId: caller.accountId, mode: caller.mode };
  if ('id' in ref) return LINE_ID.test(ref.id) ? findLineById(store.db, owner, ref.id) : undefined;
  if (!CUSTOMER_REF.test(ref.bridge)) return undefined;
  const named = await findLineByRef(store.db, owner, ref.bridge);
  if (named || !LINE_NUMBER.test(ref.bridge)) return named;
  return findLineByNumber(store.db, owner, Number(ref.bridge));
}
