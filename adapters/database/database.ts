import { AsyncLocalStorage } from 'node:async_hooks';
import knexFactory, { type Knex } from 'knex';
import type { Logger } from '../../src/kernel/log.ts';
import { listenForChanges, type OpenFeed } from './change-feed.ts';
import { openEmbedded } from './embedded.ts';
import { knexLog } from './knex-log.ts';
import { migrate } from './migrate.ts';

/** How the SQL of this folder reaches PostgreSQL: the open transaction of this call chain, or the pool. */
export type Database = {
  /** Run every statement through this: it is the transaction's connection inside `transaction`. */
  sql(): Knex;
  /**
   * Runs `work` in one transaction (joined if one is open already) and commits when it resolves.
   * Statements inside it that use `sql()` are part of it, however deep they stand.
   */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** One cheap statement, for the readiness probe. Rejects when the database doesn't answer. */
  ping(): Promise<void>;
  /** Starts telling of changes that credentials rest on, whichever process makes them. Close it before the database. */
  openFeed: OpenFeed;
  close(): Promise<void>;
  readonly kind: 'postgresql' | 'embedded';
};

export type DatabaseOptions = {
  databaseUrl: string | undefined;
  poolSize: number;
  /** Absolute path; used when there is no `databaseUrl`. */
  dataDir: string;
  logger: Logger;
};

const ACQUIRE_TIMEOUT_MS = 5_000;
/** Short: a request makes a few statements, and a frozen server leaves each of them unanswered. */
const STATEMENT_TIMEOUT_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens the database and brings its schema up to date. Rejects when it can't be reached or is held by another process. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const opened = options.databaseUrl
    ? {
        knex: openPostgres(options.databaseUrl, options.poolSize, options.logger),
        close: async () => {},
        openFeed: () => listenForChanges(options.databaseUrl as string, options.logger),
        kind: 'postgresql' as const,
      }
    : {
        ...(await openEmbedded(options.dataDir, options.logger, ACQUIRE_TIMEOUT_MS)),
        kind: 'embedded' as const,
      };
  const { knex } = opened;
  const open = new AsyncLocalStorage<Knex.Transaction>();
  const close = async () => {
    await knex.destroy();
    await opened.close();
  };

  try {
    if (options.databaseUrl) await migratePostgres(options.databaseUrl, options.logger);
    else await migrate(knex);
  } catch (error) {
    await close();
    throw error;
  }

  return {
    kind: opened.kind,
    sql: () => open.getStore() ?? knex,
    transaction: (work) =>
      open.getStore() ? work() : knex.transaction((transaction) => open.run(transaction, work)),
    ping: async () => {
      await knex.raw('SELECT 1');
    },
    openFeed: opened.openFeed,
    close,
  };
}

/** Over a connection of its own, without the bounds on statements that requests have. */
async function migratePostgres(connectionString: string, logger: Logger): Promise<void> {
  const knex = openPostgres(connectionString, 1, logger, {});
  try {
    await migrate(knex);
  } finally {
    await knex.destroy();
  }
}

const BOUNDS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: STATEMENT_TIMEOUT_MS + 1_000, // for a server that is frozen: it can't keep its own timeout
  idle_in_transaction_session_timeout: 30_000,
};

function openPostgres(
  connectionString: string,
  poolSize: number,
  logger: Logger,
  bounds: object = BOUNDS,
): Knex {
  return knexFactory({
    client: 'pg',
    connection: {
      connectionString,
      ...bounds,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'promptreports-auth',
    },
    pool: { min: 0, max: poolSize },
    acquireConnectionTimeout: ACQUIRE_TIMEOUT_MS,
    compileSqlOnError: false, // bound values (hashes, addresses) stay out of error messages, and so of logs
    log: knexLog(logger),
  });
}
