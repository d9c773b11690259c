// Theme, buttons that copy, and the search: everything else of the manual needs no script.
const root = document.documentElement;

const themeButton = document.getElementById('theme');
const showTheme = () => {
  themeButton.textContent = root.dataset.theme === 'dark' ? 'Light' : 'Dark';
};
themeButton.hidden = false;
showTheme();
themeButton.addEventListener('click', () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem('ponte.theme', root.dataset.theme);
  } catch {
    // Storage is switched off: the theme lasts as long as the page.
  }
  showTheme();
});

const COPIED_FOR_MS = 2_000;
if (navigator.clipboard) {
  for (const block of document.querySelectorAll('pre')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.querySelector('code').textContent);
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, COPIED_FOR_MS);
    });
    const frame = document.createElement('div');
    frame.className = 'code';
    block.replaceWith(frame);
    frame.append(block, button);
  }
}

const MOST = 20;
const LOAD_WITHIN_MS = 20_000;
const field = document.getElementById('q');
const found = document.getElementById('found');
const count = document.getElementById('found-count');
let index;

/** Loaded once, when a search begins; a failure is tried again with the next letter. */
function loaded() {
  index ??= load().catch((error) => {
    index = undefined;
    throw error;
  });
  return index;
}

async function load() {
  const [{ default: MiniSearch }, answer] = await Promise.all([
    import('/docs/minisearch.js'),
    fetch('/docs/search.json', { signal: AbortSignal.timeout(LOAD_WITHIN_MS) }),
  ]);
  if (!answer.ok) throw new Error(`the index answered ${answer.status}`);
  const search = new MiniSearch({
    fields: ['heading', 'page', 'text'],
    storeFields: ['heading', 'page', 'text'],
    searchOptions: { boost: { heading: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: 'AND' },
  });
  search.addAll(await answer.json());
  return search;
}

/** The words around the first hit. */
function excerpt(text, terms) {
  const low = text.toLowerCase();
  const at = Math.max(
    0,
    Math.min(...terms.map((term) => low.indexOf(term)).filter((one) => one >= 0), low.length) - 60,
  );
  const from = at >= low.length - 60 ? 0 : at;
  return `${from > 0 ? '… ' : ''}${text.slice(from, from + 160)}${text.length > from + 160 ? ' …' : ''}`;
}

function show(results) {
  found.replaceChildren();
  const list = document.createElement('ul');
  for (const { id, heading, page, text, terms } of results) {
    const link = document.createElement('a');
    link.href = id;
    const title = document.createElement('strong');
    title.textContent = heading === page ? page : `${page}: ${heading}`;
    const around = document.createElement('span');
    around.textContent = excerpt(text, terms);
    link.append(title, around);
    const item = document.createElement('li');
    item.append(link);
    list.append(item);
  }
  if (results.length > 0) found.append(list);
  else found.append('Nothing found.');
  found.hidden = false;
  count.textContent = results.length === 0 ? 'Nothing found.' : `${results.length} found.`;
}

async function search() {
  const asked = field.value.trim();
  if (asked === '') {
    found.hidden = true;
    count.textContent = '';
    return;
  }
  try {
    const results = (await loaded()).search(asked);
    // The reader has typed on meanwhile: the answer to that is on its way.
    if (field.value.trim() === asked) show(results.slice(0, MOST));
  } catch {
    found.replaceChildren('The search could not be loaded. Type again to try again.');
    found.hidden = false;
  }
}

field.addEventListener('input', search);
field.addEventListener('focus', () => void loaded().catch(() => {}), { once: true });
document.getElementById('search').addEventListener('submit', (event) => {
  event.preventDefault();
  found.querySelector('a')?.click();
});
found.addEventListener('click', (event) => {
  if (event.target.closest('a')) found.hidden = true;
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, textarea, select');
  if (event.key === '/' && !isTyping) {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape' && !found.hidden) {
    found.hidden = true;
    field.focus();
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const links = [...found.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (found.hidden || links.length === 0 || (at < 0 && document.activeElement !== field)) return;
    event.preventDefault();
    const to = event.key === 'ArrowDown' ? at + 1 : at - 1;
    if (to < 0) field.focus();
    else links[Math.min(to, links.length - 1)].focus();
  }
});
