import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely';

/**
 * Refuses queries on a transaction that is over: they would run outside of it, on a connection that
 * belongs to somebody else.
 */
export class EndedGuard implements KyselyPlugin {
  #ended = false;

  end(): void {
    this.#ended = true;
  }

  transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    if (this.#ended) throw new Error('a query was made on a transaction that is over: await it inside the transaction');
    return args.node;
  }

  async transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return args.result;
  }
}
