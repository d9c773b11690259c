// Builds the manual (docs/*.md and a few others) into static pages below dist/docs, beside the
// console: half a second, no server, nothing fetched. It is made beside what is served and then put
// in its place.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compress } from '../compress.mjs';
import { CONTENTS } from './contents.mjs';
import { renderPage } from './render.mjs';
import { pageHtml } from './template.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');

/** `docs/webhooks.md` is at /docs/webhooks, `SECURITY.md` at /docs/security. */
export const addressOf = (file) =>
  file === 'docs/index.md'
    ? '/docs'
    : `/docs/${file
        .replace(/^docs\//, '')
        .replace(/\.md$/, '')
        .toLowerCase()}`;

/** Every page, rendered, in the order of the contents. */
export function readManual() {
  const decisions = readdirSync(join(root, 'docs/decisions'))
    .filter((name) => /^\d{3}-.*\.md$/.test(name))
    .sort()
    .map((name) => `docs/decisions/${name}`);
  const groups = [...CONTENTS, { title: 'Why', pages: ['docs/decisions/README.md'] }];
  const files = [...groups.flatMap(({ pages }) => pages), ...decisions];
  const known = new Set(files);
  const pages = files.map((file) => {
    const markdown = readFileSync(join(root, file), 'utf8');
    const page = renderPage(file, markdown, (one) => (known.has(one) ? addressOf(one) : undefined));
    return { ...page, file, markdown, address: addressOf(file) };
  });
  const byFile = new Map(pages.map((page) => [page.file, page]));
  return {
    pages,
    groups: groups.map(({ title, pages: of }) => ({ title, pages: of.map((file) => byFile.get(file)) })),
  };
}

/** Writes the manual below `dist`; what was there before is served until it is whole. */
export function buildManual(dist) {
  const { pages, groups } = readManual();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const made = join(dist, `docs.${process.pid}.new`);
  rmSync(made, { recursive: true, force: true });
  const put = (name, text) => {
    const path = join(made, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const [at, page] of pages.entries()) {
    const name = page.address === '/docs' ? 'index' : posix.relative('/docs', page.address);
    put(`${name}.html`, pageHtml({ page, contents: groups, before: pages[at - 1], after: pages[at + 1], version }));
    put(`${name}.md`, page.markdown);
  }
  put('search.json', JSON.stringify(searchEntries(pages)));
  for (const name of ['manual.css', 'manual.js', 'theme.js']) put(name, readFileSync(join(here, 'assets', name)));
  const search = createRequire(import.meta.url).resolve('minisearch');
  const module = readFileSync(join(dirname(search), '../es/index.js'), 'utf8');
  put('minisearch.js', module.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'));
  compress(made);
  replace(made, join(dist, 'docs'));
  writeFileSync(join(dist, 'llms.txt'), shortText(groups));
  writeFileSync(join(dist, 'llms-full.txt'), pages.map(({ markdown }) => markdown.trim()).join('\n\n---\n\n'));
  return pages.length;
}

const searchEntries = (pages) =>
  pages.flatMap(({ address, title, parts }) =>
    parts.map(({ heading, id, text }, at) => ({
      id: at === 0 || !id ? address : `${address}#${id}`,
      page: title,
      heading,
      text,
    })),
  );

/** The list for language models (llmstxt.org): each page as Markdown, with what it is about. */
function shortText(groups) {
  const list = groups.map(
    ({ title, pages }) =>
      `## ${title}\n\n${pages
        .map(
          (page) =>
            `- [${page.title}](${page.address === '/docs' ? '/docs/index' : page.address}.md): ${page.lead.slice(0, 200)}`,
        )
        .join('\n')}`,
  );
  return `# Ponte

> A self-hosted WhatsApp gateway: REST, signed webhooks, MCP and a simulated WhatsApp network for tests.

The API as OpenAPI 3.1: [/api/openapi.json](/api/openapi.json). All pages in one file: [/llms-full.txt](/llms-full.txt).

${list.join('\n\n')}
`;
}

function replace(made, place) {
  const old = `${place}.${process.pid}.old`;
  try {
    renameSync(place, old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(made, place);
  rmSync(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildManual(join(here, '../dist'));
