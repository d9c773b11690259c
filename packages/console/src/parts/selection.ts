import { useState } from 'react';

/** The ticked rows of a list; rows that are no longer listed are not ticked either. */
export interface Selection {
  isOn: boolean;
  chosen: readonly string[];
  has(id: string): boolean;
  toggle(id: string): void;
  choose(ids: readonly string[]): void;
  /** Everything that is listed, or nothing when that is ticked already. */
  toggleAll(): void;
  turn(isOn: boolean): void;
}

export function useSelection(listed: readonly string[]): Selection {
  const [isOn, setIsOn] = useState(false);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const chosen = listed.filter((id) => ticked.has(id));
  return {
    isOn,
    chosen,
    has: (id) => ticked.has(id),
    toggle: (id) => setTicked(new Set(ticked.has(id) ? chosen.filter((one) => one !== id) : [...chosen, id])),
    choose: (ids) => setTicked(new Set(ids)),
    toggleAll: () => setTicked(new Set(chosen.length === listed.length ? [] : listed)),
    turn: (next) => {
      setIsOn(next);
      setTicked(new Set());
    },
  };
}
