import { type SealedBox, UnreadableError } from '../../crypto/sealed-box.ts';

/*
 * What people say, at the edge of the store. An account may have its contents encrypted: texts,
 * facts and bytes of messages, the payloads of its events, what waits to be sent and what waits for
 * a person's yes. The code that writes such a column names the owner (`lineText`, `accountText`,
 * …); the connections of both databases (sqlite.ts, postgres.ts) seal it on its way in and open it
 * on its way out, so that nothing else in the store knows of it. While no account asks for it, a
 * parameter goes as it is and results are not looked at.
 */

/** Whose content it is; of a line or a send the account is looked up. */
type Owner = { kind: 'account' | 'line' | 'send'; id: string };

/** A parameter that is to be sealed, unless its account has its contents in the clear. */
class Content {
  readonly owner: Owner;
  readonly value: string | Buffer;
  /** `words`: for the search, which an encrypted account does not have. */
  readonly form: 'text' | 'bytes' | 'words';

  constructor(owner: Owner, form: Content['form'], value: string | Buffer) {
    this.owner = owner;
    this.form = form;
    this.value = value;
  }
}

// The columns' types are what the database holds in the end; only the connections see the class.
const textOf = (owner: Owner, form: 'text' | 'words', value: string): string =>
  new Content(owner, form, value) as unknown as string;
const bytesOf = (owner: Owner, value: Buffer): Buffer => new Content(owner, 'bytes', value) as unknown as Buffer;

/** To be written into a text column of a row of this line. */
export const lineText = (id: string, value: string): string => textOf({ kind: 'line', id }, 'text', value);
/** The words that a message is found by. */
export const lineWords = (id: string, value: string): string => textOf({ kind: 'line', id }, 'words', value);
export const lineBytes = (id: string, value: Buffer): Buffer => bytesOf({ kind: 'line', id }, value);
export const accountText = (id: string, value: string): string => textOf({ kind: 'account', id }, 'text', value);
/** Of an outbox row; equal bytes stay equal, so that they can be compared. */
export const sendBytes = (id: string, value: Buffer): Buffer => bytesOf({ kind: 'send', id }, value);

/** Begins every sealed text; no JSON begins so, and plain text is kept from it. */
export const SEALED_MARK = '\u0001';
const SEALED_TEXT = /^sealed:([\w-]+):([A-Za-z0-9+/]+=*)$/;
/** Field number 0, which no protobuf has. */
const SEALED_BYTES = Buffer.from('\u0000sealed\u0000', 'latin1');

const place = (accountId: string, form: 'text' | 'bytes') => `contents|${accountId}|${form}`;

/** The accounts whose contents are, or were until now, encrypted. */
export interface ContentKeys {
  /** The box to seal with; undefined: this account's contents are written in the clear. */
  sealing(accountId: string): SealedBox | undefined;
  /** The box to open with. */
  opening(accountId: string): SealedBox | undefined;
}

type Ask = (text: string, id: string) => Promise<{ account_id: string } | undefined>;

const OWNERS = {
  line: 'select account_id from lines where id = ?',
  send: 'select account_id from outbox where id = ?',
} as const;
/** Lines do not change hands; beyond so many the oldest is asked for again. */
const LINES_MAX = 5_000;

/** Of one open store. */
export class Contents {
  #keys: ContentKeys | undefined;
  readonly #accounts = new Map<string, string>();

  /** Undefined: nothing is sealed, and nothing needs to be opened. */
  use(keys: ContentKeys | undefined): void {
    this.#keys = keys;
  }

  /** The box that new content of an account is sealed with; undefined: it is not sealed. */
  sealing(accountId: string): SealedBox | undefined {
    return this.#keys?.sealing(accountId);
  }

  get isActive(): boolean {
    return this.#keys !== undefined;
  }

  /** The parameters as they go to the database. */
  resolved(parameters: readonly unknown[], ask: Ask): readonly unknown[] | Promise<readonly unknown[]> {
    if (!parameters.some((one) => one instanceof Content)) return parameters;
    const keys = this.#keys;
    if (!keys) return parameters.map((one) => (one instanceof Content ? plain(one) : one));
    return this.#allSealed(parameters, keys, ask);
  }

  /** Opens what is sealed in these rows. Throws UnreadableError. */
  open(rows: readonly unknown[]): void {
    const keys = this.#keys;
    if (!keys) return;
    for (const row of rows as Record<string, unknown>[]) {
      for (const name in row) {
        const value = row[name];
        if (typeof value === 'string' && value.startsWith(SEALED_MARK)) row[name] = openText(value, keys);
        else if (value instanceof Uint8Array && isSealed(value)) row[name] = openBytes(value, keys);
      }
    }
  }

  /** One after the other: looking up the owner of a line uses the same connection. */
  async #allSealed(parameters: readonly unknown[], keys: ContentKeys, ask: Ask): Promise<readonly unknown[]> {
    const all: unknown[] = [];
    for (const one of parameters) all.push(one instanceof Content ? await this.#sealed(one, keys, ask) : one);
    return all;
  }

  async #sealed(content: Content, keys: ContentKeys, ask: Ask): Promise<unknown> {
    const accountId = await this.#accountOf(content.owner, ask);
    const box = accountId === undefined ? undefined : keys.sealing(accountId);
    if (!box || accountId === undefined) return plain(content);
    if (content.form === 'words') return '';
    const { value } = content;
    if (typeof value === 'string') {
      const record = box.seal(Buffer.from(value), place(accountId, 'text'));
      return `${SEALED_MARK}sealed:${accountId}:${record.toString('base64')}`;
    }
    const isCompared = content.owner.kind === 'send';
    const record = box.seal(value, place(accountId, 'bytes'), isCompared);
    return Buffer.concat([SEALED_BYTES, Buffer.of(accountId.length), Buffer.from(accountId, 'latin1'), record]);
  }

  async #accountOf({ kind, id }: Owner, ask: Ask): Promise<string | undefined> {
    if (kind === 'account') return id;
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    const found = (await ask(OWNERS[kind], id))?.account_id;
    if (kind === 'send' || found === undefined) return found;
    const oldest = this.#accounts.size >= LINES_MAX ? this.#accounts.keys().next().value : undefined;
    if (oldest !== undefined) this.#accounts.delete(oldest);
    this.#accounts.set(id, found);
    return found;
  }
}

/** A stranger's text that looks sealed loses its mark: it must never be taken for what we wrote. */
const plain = ({ value }: Content): string | Buffer =>
  typeof value === 'string' && value.startsWith(SEALED_MARK) ? `\ufffd${value.slice(1)}` : value;

function openText(value: string, keys: ContentKeys): string {
  const [, accountId = '', record = ''] = SEALED_TEXT.exec(value.slice(1)) ?? [];
  // Written before there were marks: a text that happens to begin so.
  if (accountId === '') return value;
  return boxOf(accountId, keys).open(Buffer.from(record, 'base64'), place(accountId, 'text')).toString();
}

const isSealed = (value: Uint8Array): boolean =>
  value[0] === 0 && value.length > SEALED_BYTES.length && SEALED_BYTES.equals(value.subarray(0, SEALED_BYTES.length));

function openBytes(value: Uint8Array, keys: ContentKeys): Buffer {
  const from = SEALED_BYTES.length + 1;
  const end = from + (value[SEALED_BYTES.length] ?? 0);
  const accountId = Buffer.from(value.subarray(from, end)).toString('latin1');
  return boxOf(accountId, keys).open(value.subarray(end), place(accountId, 'bytes'));
}

function boxOf(accountId: string, keys: ContentKeys): SealedBox {
  const box = keys.opening(accountId);
  if (box) return box;
  throw new UnreadableError(`contents of ${accountId}: their key is not known to this process yet`);
}
