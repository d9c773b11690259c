/** A field of a request is missing or wrong; the message names it and says what is allowed. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly field: string;

  constructor(field: string, remedy: string) {
    super(`${field}: ${remedy}`);
    this.field = field;
  }
}

const MAX_TEXT_CHARS = 65_536;

/**
 * The JSON object of a request, read field by field; every reader throws InputError. `null` counts
 * as absent.
 */
export class Input {
  readonly #body: Record<string, unknown>;

  constructor(body: unknown) {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new InputError('body', 'must be a JSON object');
    }
    this.#body = Object.fromEntries(Object.entries(body));
  }

  /** The object as it came, for a reader of its own. */
  all(): Record<string, unknown> {
    return { ...this.#body };
  }

  has(name: string): boolean {
    return this.#body[name] !== undefined && this.#body[name] !== null;
  }

  text(name: string, maxChars = MAX_TEXT_CHARS): string {
    const value = this.optionalText(name, maxChars);
    if (value === undefined || value === '') throw new InputError(name, 'is required: a text that is not empty');
    return value;
  }

  optionalText(name: string, maxChars = MAX_TEXT_CHARS): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#body[name];
    if (typeof value !== 'string') throw new InputError(name, 'must be a text');
    if (value.length > maxChars) throw new InputError(name, `must have at most ${maxChars} characters`);
    return value;
  }

  number(name: string, min: number, max: number): number {
    const value = this.#body[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
      throw new InputError(name, `must be a number from ${min} to ${max}`);
    }
    return value;
  }

  integer(name: string, min: number, max: number, fallback?: number): number {
    if (!this.has(name) && fallback !== undefined) return fallback;
    const value = this.number(name, min, max);
    if (!Number.isInteger(value)) throw new InputError(name, `must be a whole number from ${min} to ${max}`);
    return value;
  }

  flag(name: string, fallback = false): boolean {
    if (!this.has(name)) return fallback;
    const value = this.#body[name];
    if (typeof value !== 'boolean') throw new InputError(name, 'must be true or false');
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = choices.find((choice) => choice === this.#body[name]);
    if (value === undefined) throw new InputError(name, `must be one of ${choices.join(', ')}`);
    return value;
  }

  texts(name: string, min: number, max: number): string[] {
    const value = this.#body[name];
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw new InputError(name, `must be a list of ${min} to ${max} texts`);
    }
    return value.map((item, index) => {
      if (typeof item !== 'string' || item === '')
        throw new InputError(`${name}[${index}]`, 'must be a text that is not empty');
      return item;
    });
  }

  /** A JSON object inside; its fields are named from there. */
  nested(name: string): Input {
    const value = this.#body[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InputError(name, 'must be a JSON object');
    }
    return new Input(value);
  }

  /** A list of JSON objects inside. */
  nestedList(name: string, min: number, max: number): Input[] {
    const value = this.#body[name];
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw new InputError(name, `must be a list of ${min} to ${max} JSON objects`);
    }
    return value.map((item) => new Input(item));
  }

  optionalTexts(name: string, max: number): string[] {
    return this.has(name) ? this.texts(name, 0, max) : [];
  }
}
