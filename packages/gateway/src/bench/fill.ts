import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import pg from 'pg';

/** Rows of one transaction. */
const CHUNK = 20_000;
/** All within retention. */
const SPREAD_MS = 5 * 24 * 3_600_000;
const PEOPLE = 5_000;

/** A database in its own words. */
interface Filler {
  /** The numbers from $from to $to as `n`. */
  series: string;
  /** A number as sixteen digits. */
  digits(number: string): string;
  run(statements: string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Fills a gateway's database with messages, events and delivered deliveries, so many of each, as if
 * its first line had got them from 5 000 people during the last five days; there is a webhook. The
 * server may run meanwhile. Answers how many seconds it took.
 */
export async function fillDatabase(url: string, rows: number): Promise<number> {
  const started = performance.now();
  const filler = url.startsWith('postgres') ? await openPostgres(url) : openSqlite(url);
  try {
    for (let from = 1; from <= rows; from += CHUNK) {
      const to = Math.min(rows, from + CHUNK - 1);
      const statements = statementsFor(filler, rows);
      await filler.run(statements.map((sql) => sql.replaceAll('$from', String(from)).replaceAll('$to', String(to))));
      await setImmediate();
    }
  } finally {
    await filler.close();
  }
  return Math.round((performance.now() - started) / 1_000);
}

function statementsFor({ series, digits }: Filler, rows: number): string[] {
  const line = '(select id from lines order by number limit 1)';
  const account = '(select account_id from lines order by number limit 1)';
  const webhook = '(select id from webhooks order by created_at limit 1)';
  const at = `(${Date.now() - SPREAD_MS} + n * ${Math.floor(SPREAD_MS / rows)})`;
  const chat = `('7' || ${digits(`(n % ${PEOPLE})`)} || '@lid')`;
  const body = `('An ordinary message, number ' || n || ', of the length that messages have')`;
  const payload = `('{"messageId":"3EB0' || n || '","text":"An ordinary message, number ' || n || '","filler":"${'x'.repeat(300)}"}')`;
  return [
    `insert into messages (line_id, message_id, chat_jid, sender_jid, from_me, kind, body, search, facts, status,
       timestamp, created_at)
     select ${line}, 'FILL' || ${digits('n')}, ${chat}, ${chat}, 0, 'text', ${body}, ${body}, '{}', 'received',
       ${at} / 1000, ${at} from ${series}`,
    `insert into events (id, account_id, line_id, type, dedupe_key, chat, payload, created_at)
     select 'evt_fill' || ${digits('n')}, ${account}, ${line}, 'message.received', 'fill ' || n, ${chat}, ${payload},
       ${at} from ${series}`,
    `insert into deliveries (id, account_id, webhook_id, event_seq, order_key, state, attempts, step, pulls, next_at,
       created_at, finished_at)
     select 'dlv' || substr(id, 4), account_id, ${webhook}, seq, chat, 'delivered', 1, 0, 0, created_at, created_at,
       created_at from events where id between 'evt_fill' || ${digits('$from')} and 'evt_fill' || ${digits('$to')}`,
  ];
}

function openSqlite(url: string): Filler {
  const db = new Database(url.replace(/^sqlite:/, ''));
  db.pragma('busy_timeout = 30000');
  db.pragma('foreign_keys = on');
  return {
    series: '(with recursive s(n) as (select $from union all select n + 1 from s where n < $to) select n from s)',
    digits: (number) => `printf('%016d', ${number})`,
    run: async (statements) => {
      db.transaction(() => {
        for (const sql of statements) db.exec(sql);
      }).immediate();
    },
    close: async () => void db.close(),
  };
}

async function openPostgres(url: string): Promise<Filler> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    series: 'generate_series($from::bigint, $to::bigint) as s(n)',
    digits: (number) => `lpad((${number})::text, 16, '0')`,
    run: async (statements) => {
      await client.query(['begin', ...statements, 'commit'].join(';\n'));
    },
    close: () => client.end(),
  };
}
