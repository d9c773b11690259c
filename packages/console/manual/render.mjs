// Turns one file of Markdown into the parts of a page: its body, its headings, what the search
// finds.
import { posix } from 'node:path';
import { Marked } from 'marked';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escapeHtml = (text) => text.replace(/[&<>"']/g, (one) => ESCAPES[one]);

/** The name of a heading in addresses, as GitHub makes it: links work there and here. */
const slugOf = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** Text without marks, as a reader sees it. */
const plain = (tokens) =>
  tokens
    .map((token) => {
      if (token.type === 'table') {
        return [token.header, ...token.rows].map((row) => row.map((cell) => plain(cell.tokens)).join(' ')).join('\n');
      }
      if (token.type === 'list') return token.items.map((item) => plain(item.tokens)).join('\n');
      if (token.type === 'code') return token.text;
      if (token.type === 'space') return '\n';
      return token.tokens ? plain(token.tokens) : (token.text ?? '');
    })
    .join('');

/**
 * `file` is the page's place in the repository, `addressOf` tells the address of another file of
 * the manual (undefined: it is no page, and what links to it becomes plain text).
 */
export function renderPage(file, markdown, addressOf) {
  const slugs = new Map();
  const headings = [];
  const links = [];
  const marked = new Marked({ gfm: true });
  const tokens = marked.lexer(markdown);
  const named = new Map();
  for (const token of tokens) {
    if (token.type !== 'heading') continue;
    const text = plain(token.tokens);
    const slug = slugOf(text);
    const before = slugs.get(slug) ?? 0;
    slugs.set(slug, before + 1);
    const id = before === 0 ? slug : `${slug}-${before}`;
    named.set(token, id);
    headings.push({ id, text, depth: token.depth });
  }
  const renderer = {
    heading(token) {
      const inner = this.parser.parseInline(token.tokens);
      const id = named.get(token);
      if (id === undefined || token.depth === 1) return `<h${token.depth}>${inner}</h${token.depth}>\n`;
      return `<h${token.depth} id="${escapeHtml(id)}">${inner} <a class="anchor" href="#${escapeHtml(id)}" aria-label="Link to this part: ${escapeHtml(plain(token.tokens))}">#</a></h${token.depth}>\n`;
    },
    link({ href, title, tokens: inside }) {
      const inner = this.parser.parseInline(inside);
      const target = resolve(file, href, addressOf);
      links.push({ href, target });
      const titled = title ? ` title="${escapeHtml(title)}"` : '';
      return target === undefined ? inner : `<a href="${escapeHtml(target)}"${titled}>${inner}</a>`;
    },
    // Ours are pictures of the console, which the manual does not carry.
    image({ text }) {
      return escapeHtml(text);
    },
    html({ text }) {
      return escapeHtml(text);
    },
    code({ text, lang }) {
      const language = /^\w+/.exec(lang ?? '')?.[0];
      return `<pre tabindex="0"${language ? ` data-language="${language}"` : ''}><code>${escapeHtml(text)}\n</code></pre>\n`;
    },
    table(token) {
      const cells = (row, tag) =>
        row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('');
      // A head without words says nothing, and reads as an empty heading.
      const head = token.header.some(({ text }) => text !== '')
        ? `<thead><tr>${token.header
            .map((cell) =>
              cell.text === '' ? '<td></td>' : `<th scope="col">${this.parser.parseInline(cell.tokens)}</th>`,
            )
            .join('')}</tr></thead>`
        : '';
      const body = token.rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
      return `<div class="table" tabindex="0"><table>${head}<tbody>\n${body}\n</tbody></table></div>\n`;
    },
  };
  marked.use({ renderer });
  const body = marked.parser(tokens);
  const title = headings.find(({ depth }) => depth === 1)?.text;
  if (title === undefined) throw new Error(`${file} has no title`);
  const first = tokens.find(({ type }) => type === 'paragraph');
  return {
    title,
    lead: first ? plain([first]).replace(/\s+/g, ' ') : '',
    body,
    headings,
    links,
    parts: partsOf(tokens, named, title),
  };
}

/** The page cut at its headings: one entry of the search each. */
function partsOf(tokens, named, title) {
  const parts = [{ heading: title, id: '', text: '' }];
  for (const token of tokens) {
    if (token.type === 'heading') {
      if (token.depth > 1) parts.push({ heading: plain(token.tokens), id: named.get(token), text: '' });
    } else {
      const part = parts.at(-1);
      part.text += `${plain([token])}\n`;
    }
  }
  return parts.map((part) => ({ ...part, text: part.text.replace(/\s+/g, ' ').trim() }));
}

/** Where a link leads: a page of the manual, another host, or nowhere (undefined). */
function resolve(file, href, addressOf) {
  if (/^(?:https?:|mailto:|\/|#)/.test(href)) return href;
  const [path, hash] = href.split('#');
  const address = addressOf(posix.normalize(posix.join(posix.dirname(file), path)));
  return address === undefined ? undefined : address + (hash ? `#${hash}` : '');
}
