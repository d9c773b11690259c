import { kept } from './kept.ts';

export type Theme = 'light' | 'dark';

const preferred = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

export const theme = kept<Theme>('theme', ['light', 'dark'], preferred);

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.get();
}

export function toggleTheme(): void {
  theme.set(theme.get() === 'dark' ? 'light' : 'dark');
  applyTheme();
}
