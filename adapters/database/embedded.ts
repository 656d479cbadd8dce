import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import knexFactory, { type Knex } from 'knex';
import type { Client } from 'pg';
import type { Logger } from '../../src/kernel/log.ts';
import { CHANNEL, createLocalFeed, type OpenFeed } from './change-feed.ts';
import { lockDirectory } from './directory-lock.ts';
import { knexLog } from './knex-log.ts';
import { PgliteStream } from './pglite-stream.ts';

const UPKEEP_INTERVAL_MS = 10 * 60_000;

/**
 * PostgreSQL in this process (PGlite), its files in `dataDir/database`, behind the same driver and dialect.
 * One session, so one connection: a statement that is awaited outside an open transaction times out.
 */
export async function openEmbedded(
  dataDir: string,
  logger: Logger,
  acquireTimeoutMs: number,
): Promise<{ knex: Knex; openFeed: OpenFeed; close(): Promise<void> }> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(dataDir);
  let db: PGlite;
  try {
    const embedded = await import('@electric-sql/pglite'); // by who uses it alone
    db = await embedded.PGlite.create({ dataDir: path.join(dataDir, 'database') });
  } catch (error) {
    await lock.release();
    throw error;
  }
  const feed = createLocalFeed();
  const knex = knexFactory({
    client: 'pg',
    // A function: Knex deep-clones a connection object, and PGlite's memory with it.
    connection: () => ({ stream: () => new PgliteStream(db), user: 'postgres', database: 'postgres' }),
    pool: {
      min: 1,
      max: 1,
      afterCreate: (connection: Client, done: (error: Error | undefined, connection: Client) => void) => {
        feed.hear(connection);
        connection.query(`LISTEN ${CHANNEL}`).then(
          () => done(undefined, connection),
          (error: Error) => done(error, connection),
        );
      },
    },
    acquireConnectionTimeout: acquireTimeoutMs,
    compileSqlOnError: false,
    log: knexLog(logger),
  });
  // Nothing vacuums or checkpoints by itself here, and the write-ahead log would only grow.
  const upkeep = setInterval(() => {
    knex
      .raw('VACUUM')
      .then(() => knex.raw('CHECKPOINT'))
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'upkeep of the embedded database failed');
      });
  }, UPKEEP_INTERVAL_MS).unref();

  return {
    knex,
    openFeed: () => ({ ...feed, close: () => Promise.resolve() }),
    close: async () => {
      clearInterval(upkeep);
      await db.close();
      await lock.release();
    },
  };
}
