import { type DatabaseConnection, DefaultQueryExecutor, type Dialect, type Driver, Transaction } from 'kysely';
import type { GroupConnection } from './group-commit.ts';
import type { Database } from './schema.ts';

/**
 * Makes what a transaction's work is given, on a connection where one has begun. After its `end` it
 * refuses queries: they would run outside of it, on a connection that another caller uses by then.
 */
export function transactionsOn(
  connection: DatabaseConnection,
  { dialect, driver }: { dialect: Dialect; driver: Driver },
): GroupConnection['transaction'] {
  const compiler = dialect.createQueryCompiler();
  const adapter = dialect.createAdapter();
  return (onCommit) => {
    let hasEnded = false;
    const provider = {
      async provideConnection<T>(use: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
        if (hasEnded)
          throw new Error('a query was made on a transaction that is over: await it inside the transaction');
        return use(connection);
      },
    };
    const executor = new DefaultQueryExecutor(compiler, adapter, provider);
    return {
      tx: { db: new Transaction<Database>({ config: { dialect }, dialect, driver, executor }), onCommit },
      end() {
        hasEnded = true;
      },
    };
  };
}
