/** A variable that is not what it must be. The message names it, what it got and what it takes. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads one variable; empty counts as unset. */
export class Reader {
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  wrong(name: string, takes: string): ConfigError {
    return new ConfigError(`${name} is "${this.text(name)}", but it takes ${takes}`);
  }

  /** Of a value that may be a secret: it is not repeated. */
  wrongSecret(name: string, takes: string): ConfigError {
    return new ConfigError(`${name} is not one this version takes: it takes ${takes}`);
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) throw this.wrong(name, `a whole number from ${min} to ${max}`);
    return number;
  }

  oneOf<T extends string>(name: string, fallback: T, options: readonly T[]): T {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const option = options.find((one) => one === value.toLowerCase());
    if (!option) throw this.wrong(name, `one of ${options.join(', ')}`);
    return option;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (['1', 'true', 'on', 'yes'].includes(value)) return true;
    if (['0', 'false', 'off', 'no'].includes(value)) return false;
    throw this.wrong(name, 'on or off');
  }

  list(name: string): string[] {
    return (this.text(name) ?? '').split(',').flatMap((entry) => entry.trim() || []);
  }
}
