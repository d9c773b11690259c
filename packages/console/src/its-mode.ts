import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError, api } from './api.ts';
import { type Mode, mode, otherMode } from './mode.ts';

/**
 * Asks for an object in the mode of the page, then in the other one: a link to it works whatever
 * mode it was opened in. The answer says which mode it is of.
 */
export async function inItsMode<T extends object>(path: string): Promise<T & { mode: Mode }> {
  const asked = mode.get();
  try {
    return { ...(await api<T>('GET', path)), mode: asked };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const of = otherMode(asked);
    const found = await api<T>('GET', path, undefined, of).catch(() => {
      throw error;
    });
    return { ...found, mode: of };
  }
}

/** True once the page is in the mode of its object; until then nothing else is asked for. */
export function useItsMode(object: { mode: Mode } | undefined): boolean {
  // Of the page as it stands, not of the one that may be on its way.
  const { mode: shown } = useSearch({ from: '/inside' });
  const navigate = useNavigate();
  const isOther = object !== undefined && object.mode !== shown;
  useEffect(() => {
    if (isOther) void navigate({ to: '.', search: (now) => ({ ...now, mode: object.mode }), replace: true });
  }, [isOther, object, navigate]);
  return object !== undefined && !isOther;
}
