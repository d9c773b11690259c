import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Config, type Environment, readConfig } from './config.ts';

/**
 * `NAME=value` lines; `#` begins a comment on a line of its own; quotes around a value are taken
 * off.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (!match?.[1]) continue;
    const value = match[2] ?? '';
    const quoted = /^(["'])(.*)\1$/.exec(value);
    found[match[1]] = quoted ? (quoted[2] ?? '') : value;
  }
  return found;
}

/**
 * The process's environment over `.env` of the current folder. The only place that reads either.
 */
export function processEnvironment(): Environment {
  const file = join(process.cwd(), '.env');
  return { ...(existsSync(file) ? parseEnvFile(readFileSync(file, 'utf8')) : {}), ...process.env };
}

/** The configuration of this process. Throws ConfigError. */
export function processConfig(env: Environment = processEnvironment()): Config {
  return readConfig(env, { cores: availableParallelism(), cwd: process.cwd() });
}
