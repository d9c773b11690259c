import { word } from '../words/word.ts';
export interface Page {
  title: string;
}
export const page: Page = { title: word };
