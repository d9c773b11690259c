/**
 * How an account's contents lie in the database. `sealing` and `opening`: what is new is as it will
 * be, what was there before is being changed.
 */
export type ContentsState = 'plain' | 'sealing' | 'sealed' | 'opening';

/** How often a process asks which accounts have their contents encrypted. */
export const CONTENTS_LOOK_MS = 3_000;
/**
 * After so long every process knows the key of an account that asked for it, and from then on
 * seals; one that has not asked the database for so long cannot read what others sealed, and says
 * so.
 */
export const CONTENTS_GRACE_MS = 4 * CONTENTS_LOOK_MS;
