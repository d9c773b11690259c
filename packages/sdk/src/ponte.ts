import { type Followed, type FollowOptions, follow } from './event-stream.ts';
import { OPERATIONS } from './generated/operations.ts';
import { type AnswerOf, addressOf, type OperationName, type RequestOf } from './operations.ts';
import { Transport, type TransportOptions } from './transport.ts';

type Body<O extends OperationName> = Exclude<RequestOf<O>['body'], FormData | undefined>;
type Query<O extends OperationName> = Exclude<RequestOf<O>['query'], undefined>;
type Item<T> = T extends readonly (infer I)[] ? I : never;
/** How a send is made: at most once per key, and how long it may be waited for. */
export interface SendOptions {
  idempotencyKey?: string;
  signal?: AbortSignal;
}
/** A file from here instead of a URL. */
export interface Upload {
  file: Blob;
  filename?: string;
}

/**
 * A client of one Ponte with one key. Every operation of the API is at `call`; the groups are
 * shorter ways to the usual ones. Methods reject with a PonteError.
 */
export class Ponte {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  /** Any operation, by its name in the reference. */
  async call<O extends OperationName>(operation: O, request: RequestOf<O>): Promise<AnswerOf<O>> {
    const response = await this.#send(operation, request);
    const type = response.headers.get('content-type') ?? '';
    return (type.includes('json') ? await response.json() : undefined) as AnswerOf<O>;
  }

  /** An operation that answers a file, such as `getMedia`. */
  async download(operation: OperationName, request: { path?: object; query?: object }): Promise<Blob> {
    return (await this.#send(operation, request as RequestOf<OperationName>)).blob();
  }

  readonly lines = {
    list: async () => (await this.call('listLines', {})).lines,
    get: (line_id: string) => this.call('getLine', { path: { line_id } }),
    create: (body: Body<'createLine'> = {}) => this.call('createLine', { body }),
    delete: (line_id: string) => this.call('deleteLine', { path: { line_id } }),
    qr: (line_id: string) => this.call('lineQr', { path: { line_id }, query: { format: 'json' } }),
    pair: (line_id: string, phone: string) => this.call('pairLine', { path: { line_id }, body: { phone } }),
    connectLink: (line_id: string) => this.call('connectLink', { path: { line_id } }),
    logout: (line_id: string) => this.call('logoutLine', { path: { line_id } }),
    /** Takes back what is kept for 7 days after the phone logged the line out. */
    restore: (line_id: string) => this.call('restoreLine', { path: { line_id } }),
    restart: (line_id: string) => this.call('restartLine', { path: { line_id } }),
    startTrace: (line_id: string, minutes = 60) => this.call('startTrace', { path: { line_id }, body: { minutes } }),
    readTrace: (line_id: string, after = 0) => this.call('readTrace', { path: { line_id }, query: { after } }),
    stopTrace: (line_id: string) => this.call('stopTrace', { path: { line_id } }),
  };

  readonly messages = {
    send: (body: Body<'sendMessage'>, options: SendOptions = {}) => this.call('sendMessage', { body, ...options }),
    reply: (body: Body<'replyToMessage'>, options: SendOptions = {}) =>
      this.call('replyToMessage', { body, ...options }),
    react: (body: Body<'reactToMessage'>, options: SendOptions = {}) =>
      this.call('reactToMessage', { body, ...options }),
    /** By `media_url`, or with a file from here. */
    sendMedia: (body: Body<'sendMedia'>, options: SendOptions & Partial<Upload> = {}) => {
      const { file, filename, ...rest } = options;
      return this.call('sendMedia', { body: file ? formOf(body, { file, filename }) : body, ...rest });
    },
    read: (body: Body<'readMessages'>) => this.call('readMessages', { body }),
    get: (id: string, line_id: string) => this.call('getMessage', { path: { id }, query: { line_id } }),
    /** Newest first, page after page. */
    list: (query: Query<'listMessages'>) => this.#messages(query),
    media: (id: string, line_id: string) => this.download('getMedia', { path: { id }, query: { line_id } }),
  };

  readonly chats = {
    /** Newest first, page after page. */
    list: (query: Query<'listChats'>) => this.#chats(query),
    archive: (body: Body<'archiveChat'>) => this.call('archiveChat', { body }),
  };

  readonly webhooks = {
    list: async () => (await this.call('listWebhooks', {})).webhooks,
    create: (body: Body<'createWebhook'>) => this.call('createWebhook', { body }),
    get: (id: string) => this.call('getWebhook', { path: { id } }),
    delete: (id: string) => this.call('deleteWebhook', { path: { id } }),
    test: (id: string) => this.call('testWebhook', { path: { id } }),
    /** Newest first, page after page. */
    deliveries: (id: string, query: Query<'listDeliveries'> = {}) => this.#deliveries(id, query),
  };

  readonly events = {
    /** As they happen, across breaks of the connection. */
    follow: (options: FollowOptions = {}): AsyncGenerator<Followed> =>
      follow(this.#transport, OPERATIONS.followEvents.path, options),
  };

  async *#messages(query: Query<'listMessages'>): AsyncGenerator<Item<AnswerOf<'listMessages'>['messages']>> {
    for (let before = query.before; ; ) {
      const page = await this.call('listMessages', { query: { ...query, before } });
      yield* page.messages;
      if (page.next_before === null) return;
      before = page.next_before;
    }
  }

  async *#chats(query: Query<'listChats'>): AsyncGenerator<Item<AnswerOf<'listChats'>['chats']>> {
    for (let cursor = query.cursor; ; ) {
      const page = await this.call('listChats', { query: { ...query, cursor } });
      yield* page.chats;
      if (page.next_cursor === null) return;
      cursor = page.next_cursor;
    }
  }

  async *#deliveries(
    id: string,
    query: Query<'listDeliveries'>,
  ): AsyncGenerator<Item<AnswerOf<'listDeliveries'>['deliveries']>> {
    for (let cursor = query.cursor; ; ) {
      const page = await this.call('listDeliveries', { path: { id }, query: { ...query, cursor } });
      yield* page.deliveries;
      if (page.next_cursor === null) return;
      cursor = Number(page.next_cursor);
    }
  }

  #send<O extends OperationName>(operation: O, request: RequestOf<O>): Promise<Response> {
    const { method, takesKey } = OPERATIONS[operation];
    const { path, query, body, idempotencyKey, signal } = request;
    const key = takesKey ? (idempotencyKey ?? crypto.randomUUID()) : undefined;
    return this.#transport.send({
      method,
      path: addressOf(operation, path as Record<string, unknown> | undefined),
      query: query as Record<string, unknown> | undefined,
      body,
      headers: key === undefined ? undefined : { 'idempotency-key': key },
      isRepeatable: key !== undefined || method !== 'POST',
      signal,
    });
  }
}

function formOf(fields: object, { file, filename }: Upload): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  if (filename === undefined) form.set('file', file);
  else form.set('file', file, filename);
  return form;
}
