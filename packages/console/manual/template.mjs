// The frame of every page. No inline script and no inline style: the server's CSP lets none
// through.
import { escapeHtml } from './render.mjs';

/** `contents` is the list of groups with pages; `page` one of them. */
export function pageHtml({ page, contents, before, after, version }) {
  const parts = page.headings.filter(({ depth }) => depth === 2);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escapeHtml(page.lead.slice(0, 300))}">
<title>${escapeHtml(page.title)} · Ponte</title>
<link rel="icon" href="/ponte.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/manual.css">
<link rel="alternate" type="text/markdown" href="${page.address === '/docs' ? '/docs/index' : page.address}.md">
<script src="/docs/theme.js"></script>
<script type="module" src="/docs/manual.js"></script>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header class="top">
<a class="brand" href="/docs"><img src="/ponte.svg" alt="" width="24" height="24"> Ponte</a>
<form role="search" class="search" id="search">
<label class="hidden" for="q">Search the documents</label>
<input id="q" type="search" name="q" autocomplete="off" placeholder="Search" aria-controls="found" aria-describedby="found-count">
<p class="hidden" id="found-count" role="status"></p>
<div id="found" class="found" hidden></div>
</form>
<nav class="links" aria-label="Ponte">
<a href="#contents" class="to-contents">Contents</a>
<a href="/docs/api">API reference</a>
<a href="/">Console</a>
</nav>
<button type="button" id="theme" class="theme" hidden>Dark</button>
</header>
<div class="frame">
<main id="main" tabindex="-1">
${page.body}
<nav class="next" aria-label="Neighbours">
${before ? `<a rel="prev" href="${before.address}">← ${escapeHtml(before.title)}</a>` : '<span></span>'}
${after ? `<a rel="next" href="${after.address}">${escapeHtml(after.title)} →</a>` : ''}
</nav>
</main>
<nav id="contents" class="contents" aria-label="Contents">
${contents
  .map(
    ({ title, pages }) => `<p>${escapeHtml(title)}</p>
<ul>
${pages
  .map(
    (one) =>
      `<li><a href="${one.address}"${one.address === page.address ? ' aria-current="page"' : ''}>${escapeHtml(one.title)}</a></li>`,
  )
  .join('\n')}
</ul>`,
  )
  .join('\n')}
</nav>
${
  parts.length > 2
    ? `<nav class="parts" aria-label="On this page">
<p>On this page</p>
<ul>
${parts.map(({ id, text }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(text)}</a></li>`).join('\n')}
</ul>
</nav>`
    : ''
}
</div>
<footer><p class="foot">Ponte ${escapeHtml(version)} · <a href="/llms.txt">llms.txt</a> · <a href="/llms-full.txt">llms-full.txt</a></p></footer>
</body>
</html>
`;
}
