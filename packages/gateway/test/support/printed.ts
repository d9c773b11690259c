import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* What the documents print, and how a reader runs it. */

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const RUN_WITHIN_MS = 60_000;

/** Fenced blocks of one language on a page of `docs`, as printed. */
export function printedBlocks(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

/** The only block of its language on a page. */
export function printedBlock(page: string, language: string): string {
  const [block, ...others] = printedBlocks(page, language);
  if (block === undefined || others.length > 0) throw new Error(`docs/${page} has not one ${language} block`);
  return block;
}

/** The text with each of the words in place of what is printed; every one of them must occur. */
export function withOther(text: string, words: Record<string, string>): string {
  return Object.entries(words).reduce((result, [printed, other]) => {
    if (!result.includes(printed)) throw new Error(`"${printed}" is not printed any more`);
    return result.replaceAll(printed, other);
  }, text);
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, as from a terminal. */
export function run(
  command: string,
  args: string[],
  { cwd, environment = {} }: { cwd: string; environment?: Record<string, string> },
): Promise<Run> {
  // A test runner below must not take this one for its parent.
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  return new Promise((resolve) => {
    execFile(command, args, { env, cwd, timeout: RUN_WITHIN_MS }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}

/** Runs shell commands; the first that fails ends them, and an unset variable is a failure. */
export const shell = (script: string, options: { cwd: string; environment?: Record<string, string> }): Promise<Run> =>
  run('bash', ['-c', `set -euo pipefail\n${script}`], options);
