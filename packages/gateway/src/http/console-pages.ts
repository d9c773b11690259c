/** The console's own addresses (packages/console/src/router.tsx); `$name` is one segment. */
export const CONSOLE_PAGES = [
  '/',
  '/set-up',
  '/sign-in',
  '/docs/api',
  '/lines',
  '/lines/$lineId',
  '/lines/$lineId/chats',
  '/keys',
  '/approvals',
  '/webhooks',
  '/webhooks/$webhookId',
  '/log',
  '/search',
  '/usage',
  '/playground',
  '/settings',
] as const;

const PATTERNS = CONSOLE_PAGES.map((page) => new RegExp(`^${page.replace(/\$\w+/g, '[^/]+')}$`));

/** Whether the console has a page at this path; other paths belong to no page. */
export const isConsolePage = (path: string): boolean => PATTERNS.some((pattern) => pattern.test(path));

/**
 * Whether an address is that of a built file, as the build writes them and browsers ask for them.
 * Every other spelling counts as a page, whose budget is the smaller one.
 */
export const isBuiltAsset = (url: string): boolean => /^\/assets\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(url);

/** Browsers name text/html; a client that asks for JSON alone is looking for an API. */
export function takesHtml(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) return false;
    return type === '*/*' || type === 'text/*' || type === 'text/html' || type === 'application/xhtml+xml';
  });
}
