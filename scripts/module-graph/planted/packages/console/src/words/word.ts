export type Spoken = import('../scenes/page.ts').Page;
export const word = 'word';
