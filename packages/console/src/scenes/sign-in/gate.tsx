import type { ReactNode } from 'react';
import { usePageTitle } from '../../parts/page-title.ts';
import { LocaleChoice, ThemeButton } from '../shell/shell.tsx';

/** The frame of pages for visitors who are not signed in yet. */
export function Gate({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  usePageTitle(title);
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center px-4 py-10">
      <div className="mb-6 flex items-center gap-3">
        <img src="/ponte.svg" alt="" className="size-11" />
        <span className="text-xl font-bold tracking-tight">Ponte</span>
      </div>
      <div className="rounded-2xl border border-edge bg-panel p-6 shadow-sm">
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-1 mb-6 text-muted">{lead}</p>
        {children}
      </div>
      <div className="mt-6 flex justify-end gap-2">
        <div className="w-36">
          <LocaleChoice />
        </div>
        <ThemeButton />
      </div>
    </main>
  );
}
