import { useEffect } from 'react';

/** What is open stands in the title, with the number of things that wait for somebody before it. */
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
