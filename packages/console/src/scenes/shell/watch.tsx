import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { kept } from '../../kept.ts';
import { type Mode, mode } from '../../mode.ts';
import { notify } from '../../parts/notices.ts';
import { countInTitle } from '../../parts/page-title.ts';
import { problemName, problemsQuery } from '../../queries/problems.ts';
import { problemTexts } from '../../words/problems.ts';
import { useTexts } from '../../words/texts.ts';
import { useProblemWords } from '../overview/problem-list.tsx';

/** Whether this browser shows notifications of its own; it must have been allowed to. */
export const notifications = kept<'on' | 'off'>('notifications', ['on', 'off'], () => 'off');

export const mayNotify = (): boolean => typeof Notification === 'function' && Notification.permission === 'granted';

/**
 * Reports new problems, whatever page is open: in the title, by a notice, and by a notification of
 * the browser when the user turned them on. Those that existed when the page was opened are only
 * counted.
 */
export function Watch() {
  const shownMode = mode.use();
  const counts = { test: useNews('test'), live: useNews('live') };
  const total = counts[shownMode] + (shownMode === 'test' ? counts.live : 0);
  useEffect(() => {
    countInTitle(total);
    return () => countInTitle(0);
  }, [total]);
  return null;
}

/** The number of problems and waiting approvals of a mode; reports new ones. */
function useNews(of: Mode): number {
  const texts = useTexts(problemTexts);
  const { data } = useQuery(problemsQuery(of));
  const tell = useProblemWords(of);
  const known = useRef<ReadonlySet<string>>(undefined);
  const waiting = useRef(0);
  useEffect(() => {
    if (!data) return;
    const names = new Set(data.problems.map(problemName));
    if (known.current) {
      for (const problem of data.problems) {
        const name = problemName(problem);
        if (!known.current.has(name)) announce(tell(problem).title, name, 'bad');
      }
      const { waiting: count } = data.approvals;
      // The number in the tag: a further request is announced anew, the same one is not.
      if (count > waiting.current) announce(texts.approvals(count), `approvals ${of} ${count}`, 'good');
    }
    known.current = names;
    waiting.current = data.approvals.waiting;
  }, [data, tell, texts, of]);
  return data ? data.problems.length + data.approvals.waiting + (data.disk ? 1 : 0) + (data.clock ? 1 : 0) : 0;
}

function announce(text: string, tag: string, tone: 'good' | 'bad'): void {
  if (document.visibilityState === 'visible') notify(tone, text);
  // Several pages of one browser say it once: the tag is the same.
  else if (notifications.get() === 'on' && mayNotify())
    new Notification('Ponte', { body: text, tag, icon: '/ponte.svg' });
}
