import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Config, readConfig } from './config.ts';
import { readNatsFiles } from './fleet-settings.ts';
import { writtenMasterKey } from './master-key.ts';
import { ConfigError, type Environment } from './reader.ts';

/**
 * The process's environment over `.env` of the current folder. The only place that reads either.
 */
export function processEnvironment(): Environment {
  const file = join(process.cwd(), '.env');
  try {
    return { ...parseEnv(readFileSync(file, 'utf8')), ...process.env };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    if (code === 'ENOENT') return process.env;
    throw new ConfigError(`${file} cannot be read (${code}): mend it, or take it away`);
  }
}

/**
 * The configuration of this process, every setting of it checked, also those that are read later.
 * Throws ConfigError. Makes nothing.
 */
export function processConfig(env: Environment = processEnvironment()): Config {
  const config = readConfig(env, { cores: availableParallelism(), cwd: process.cwd() });
  writtenMasterKey(env);
  if (config.fleet) readNatsFiles(config.fleet);
  return config;
}
