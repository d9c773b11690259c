/*
 * Makes this process write down every statement it runs and every commit that writes, one JSON
 * line each, in the folder that PONTE_STATEMENT_LOG names: `main-PID.log` and `worker-PID.log`.
 * Loaded before the product (`node --import`, or by gateway-main.mjs), so the product needs to
 * know nothing of it. What SQLite runs for its own search index is not written down: it never
 * passes through `prepare`. `begin` and `commit` count as commits, not as statements.
 */
import childProcess from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.env.PONTE_STATEMENT_LOG ?? '';
const role = process.env.PONTE_STATEMENT_ROLE ?? 'main';
const file = join(folder, `${role}-${process.pid}.log`);
const require = createRequire(import.meta.url);

const note = (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`);
const ENDS = /^\s*(?:begin|commit|rollback|savepoint|release|end)\b/i;
const WRITES = /^\s*(?:insert|update|delete|replace|with\b[\s\S]*\b(?:insert|update|delete))\b/i;

watchSqlite();
watchPostgres();
watchForks();

function watchSqlite() {
  const { prototype } = require('better-sqlite3');
  const { prepare, exec, pragma, transaction } = prototype;
  const hasWritten = new WeakSet();
  const ended = (db) => {
    if (!db.inTransaction && hasWritten.delete(db)) note({ commit: true });
  };
  const ran = (db, sql) => {
    note({ sql });
    if (!WRITES.test(sql)) return;
    hasWritten.add(db);
  };
  prototype.prepare = function (sql) {
    const statement = prepare.call(this, sql);
    for (const name of ['run', 'get', 'all', 'iterate']) {
      const original = statement[name];
      statement[name] = (...values) => {
        if (!ENDS.test(sql)) ran(this, sql);
        const value = original.apply(statement, values);
        if (/^\s*rollback\s*$/i.test(sql)) hasWritten.delete(this);
        ended(this);
        return value;
      };
    }
    return statement;
  };
  prototype.exec = function (sql) {
    if (!ENDS.test(sql)) ran(this, sql);
    const value = exec.call(this, sql);
    ended(this);
    return value;
  };
  prototype.pragma = function (source, options) {
    note({ sql: `pragma ${source}` });
    return pragma.call(this, source, options);
  };
  // The library's own helper begins and commits past `prepare`.
  prototype.transaction = function (work) {
    const made = transaction.call(this, work);
    const watched = (run) =>
      function (...values) {
        try {
          const value = run.apply(this, values);
          ended(made.database);
          return value;
        } catch (error) {
          if (!made.database.inTransaction) hasWritten.delete(made.database);
          throw error;
        }
      };
    const outer = watched(made);
    for (const name of ['deferred', 'immediate', 'exclusive']) outer[name] = watched(made[name]);
    return outer;
  };
}

function watchPostgres() {
  const { Client } = require('pg');
  const hasWritten = new WeakSet();
  const query = Client.prototype.query;
  Client.prototype.query = function (config, ...rest) {
    const sql = typeof config === 'string' ? config : config?.text;
    if (typeof sql === 'string') {
      const isOpen = this._ponteInTransaction === true;
      if (/^\s*(?:begin|start transaction)\b/i.test(sql)) this._ponteInTransaction = true;
      else if (/^\s*(?:commit|end)\b/i.test(sql)) {
        this._ponteInTransaction = false;
        if (hasWritten.delete(this)) note({ commit: true });
      } else if (/^\s*rollback\s*$/i.test(sql)) {
        this._ponteInTransaction = false;
        hasWritten.delete(this);
      } else if (!ENDS.test(sql)) {
        note({ sql });
        if (WRITES.test(sql) && isOpen) hasWritten.add(this);
        else if (WRITES.test(sql)) note({ commit: true });
      }
    }
    return query.call(this, config, ...rest);
  };
}

/** Children have an environment of their own: what they need for this is put into it. */
function watchForks() {
  const fork = childProcess.fork;
  childProcess.fork = (entry, args, options) =>
    fork(entry, args, {
      ...options,
      execArgv: [...(options?.execArgv ?? []), '--import', fileURLToPath(import.meta.url)],
      env: { ...options?.env, PONTE_STATEMENT_LOG: folder, PONTE_STATEMENT_ROLE: 'worker' },
    });
  syncBuiltinESMExports();
}
