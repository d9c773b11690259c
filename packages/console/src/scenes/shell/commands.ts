import { useQuery } from '@tanstack/react-query';
import { mode, otherMode } from '../../mode.ts';
import { lineName } from '../../parts/line-name.ts';
import { linesQuery } from '../../queries/lines.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import { theme, toggleTheme } from '../../theme.ts';
import { paletteTexts } from '../../words/palette.ts';
import { searchAllTexts } from '../../words/search-all.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { PLACES } from './places.tsx';

interface Named {
  kind: 'page' | 'line' | 'webhook' | 'action';
  name: string;
  /** Other words that it is found by. */
  also: string;
}
/** Something that the palette offers: a place to go to, or something to do at once. */
export type Command = Named & ({ href: string; run?: undefined } | { href?: undefined; run: () => void });

/**
 * Everything that there is to go to and to do, in the mode that the page shows; last of all a
 * search of messages for what is `wanted`.
 */
export function useCommands(wanted: string): Command[] {
  const words = useWords();
  const texts = useTexts(paletteTexts);
  const search = useTexts(searchAllTexts);
  const shown = mode.use();
  const isDark = theme.use() === 'dark';
  const { data: lines = [] } = useQuery(linesQuery(shown));
  const { data: endpoints } = useQuery(endpointsQuery(shown));
  const at = (path: string, of = shown) => `${path}?mode=${of}`;
  const other = otherMode(shown);
  return [
    ...PLACES.map(([to, name]): Command => ({ kind: 'page', name: words.nav[name], also: to, href: at(to) })),
    { kind: 'page', name: search.title, also: '/search', href: at('/search') },
    {
      kind: 'action',
      name: isDark ? words.lightTheme : words.darkTheme,
      also: '',
      run: toggleTheme,
    },
    { kind: 'action', name: texts.switchTo(words.modes[other]), also: '', href: at('/lines', other) },
    ...lines.flatMap((line): Command[] => {
      const name = lineName(line, words);
      const also = [line.phone, line.name, line.customer_ref, line.line_id].filter(Boolean).join(' ');
      const page = `/lines/${line.line_id}`;
      return [
        { kind: 'line', name, also, href: at(page) },
        ...(line.phone ? [{ kind: 'line', name: texts.chatsOf(name), also, href: at(`${page}/chats`) } as const] : []),
      ];
    }),
    ...(endpoints?.webhooks ?? []).map(
      (one): Command => ({
        kind: 'webhook',
        name: one.description || one.url,
        also: `${one.url} ${one.id}`,
        href: at(`/webhooks/${one.id}`),
      }),
    ),
    ...(wanted.trim().length > 1
      ? [
          {
            kind: 'action',
            name: search.forWords(wanted.trim()),
            also: wanted,
            href: `${at('/search')}&q=${encodeURIComponent(JSON.stringify(wanted.trim()))}`,
          } as const,
        ]
      : []),
  ];
}
