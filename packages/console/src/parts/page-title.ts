import { useEffect } from 'react';

/** The open page stands in the title, preceded by the number of things that need attention. */
const title = { page: '', count: 0 };

function write(): void {
  const count = title.count > 0 ? `(${title.count}) ` : '';
  document.title = count + (title.page ? `${title.page} · Ponte` : 'Ponte');
}

export function countInTitle(count: number): void {
  title.count = count;
  write();
}

/** Names the browser's tab while the page is shown. */
export function usePageTitle(page: string): void {
  useEffect(() => {
    title.page = page;
    write();
  }, [page]);
}
