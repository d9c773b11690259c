// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { freshPage, show } from '../../test/rendered.tsx';
import { RichText } from './rich-text.tsx';

freshPage();

it('shows links that lead away without telling where from', async () => {
  const { screen } = await show(<RichText text="*see* https://example.com/a." />);
  const link = screen.getByRole('link');
  expect(link.getAttribute('href')).toBe('https://example.com/a');
  expect(link.getAttribute('target')).toBe('_blank');
  expect(link.getAttribute('rel')?.split(' ')).toEqual(expect.arrayContaining(['noopener', 'noreferrer']));
  expect(screen.getByText('see').className).toContain('font-semibold');
});

it('shows markup of another kind as the text that it is', async () => {
  const { screen } = await show(<RichText text={'<img src=x onerror=alert(1)> javascript:alert(1)'} />);
  screen.getByText('<img src=x onerror=alert(1)> javascript:alert(1)');
  expect(screen.queryByRole('link')).toBeNull();
  expect(document.querySelector('img')).toBeNull();
});
