// Comments are at most 100 columns wide. Comments, texts of the product and documents name who does
// what. Reports each line that does not comply; exit code 1 when there is one.
// Usage: node scripts/check-comments.mjs [root folder]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAX_COLUMNS = 100;
const FOLDERS = ['packages', 'scripts'];
const SKIPPED = /(?:^|\/)(?:node_modules|dist|generated|golden|seed-examples)(?:\/|$)/;
/** A line of a block comment, or one that begins with `//`. Addresses cannot be broken. */
const COMMENT = /^\s*(?:\/\*|\*(?=\s|\/|$)|\/\/)/;
const ADDRESS = /https?:\/\/\S{40,}/;
/** Directives of tools have one line. */
const DIRECTIVE = /\bbiome-ignore\b/;
/** Code with a comment behind it: the two slashes stand apart, outside of addresses. */
const TRAILING = /\S\s+\/\/ [^'"`]*$/;
/** Words that hide the actor: name the caller, process, node, user or device instead. */
const VAGUE = /\b(?:anybody|everybody|nobody|somebody|whoever)\b/i;
/** What the product says: error messages, schemas, the console. Names of tests are free. */
const PRODUCT = /^packages\/[^/]+\/src\/(?!conformance\/)(?!.*\.test\.tsx?$)/;
const DOCUMENTS = ['docs'];
const DOCUMENT = /\.md$|\.example\.env$/;

/** Lines as `path:number`: wider than MAX_COLUMNS, and with one of the words above. */
export function checkComments(root) {
  const wide = [];
  const vague = vagueDocuments(root);
  let files = 0;
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      const file = join(entry.parentPath, entry.name);
      const path = relative(root, file).replaceAll('\\', '/');
      if (!entry.isFile() || !/\.(?:tsx?|mts|mjs|css)$/.test(entry.name) || SKIPPED.test(path)) continue;
      files += 1;
      readFileSync(file, 'utf8')
        .split('\n')
        .forEach((line, index) => {
          const isComment = COMMENT.test(line) || TRAILING.test(line);
          if (line.length > MAX_COLUMNS && isComment && !ADDRESS.test(line) && !DIRECTIVE.test(line))
            wide.push(`${path}:${index + 1}`);
          const said = isComment ? commentOf(line) : PRODUCT.test(path) ? line : '';
          if (VAGUE.test(said)) vague.push(`${path}:${index + 1}`);
        });
    }
  }
  if (files === 0) throw new Error('no file was found: the check is looking in the wrong place');
  return { wide, vague, files };
}

/** Lines of documents, here and in the packages, with one of the words; quoted ones are free. */
function vagueDocuments(root) {
  const names = [
    ...readdirSync(root).filter((name) => DOCUMENT.test(name)),
    ...DOCUMENTS.flatMap((folder) =>
      existsSync(join(root, folder))
        ? readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name)))
        : [],
    ),
    ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
  ];
  return names
    .filter((name) => DOCUMENT.test(name) && existsSync(join(root, name)))
    .flatMap((name) =>
      readFileSync(join(root, name), 'utf8')
        .split('\n')
        .flatMap((line, index) => (VAGUE.test(line.replace(/"[^"]*"/g, '')) ? [`${name}:${index + 1}`] : [])),
    );
}

/** The comment of a line, without the code before it and what it quotes from code. */
function commentOf(line) {
  const text = COMMENT.test(line) ? line : line.slice(line.lastIndexOf(' // '));
  return text.replace(/`[^`]*`/g, '');
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && resolve(process.argv[1]) === self) {
  const { wide, vague, files } = checkComments(resolve(process.argv[2] ?? join(dirname(self), '..')));
  for (const place of wide) process.stderr.write(`${place}: a comment is wider than ${MAX_COLUMNS} columns\n`);
  for (const place of vague)
    process.stderr.write(`${place}: say who it is (a caller, process, node, user …), not somebody or nobody\n`);
  process.stdout.write(`comments: ${files} files, ${wide.length} wide lines, ${vague.length} vague ones\n`);
  process.exit(wide.length + vague.length > 0 ? 1 : 0);
}
