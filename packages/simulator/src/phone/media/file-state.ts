/** How far a phone got with the file of a message. */
export type FileState = 'pending' | 'ok' | 'unavailable' | 'corrupt';
