import knexFactory from 'knex';
import { bootstrapDatabase } from '../test/support/bootstrapped.ts';
import { startGuardian } from '../test/support/guardian.ts';
import { publishHarness } from '../test/support/harness.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { startRedis } from '../test/support/redis.ts';

/** Limits that no load here reaches. */
const UNREACHED = '--plan enterprise --per-second 100000000 --per-minute 100000000 --per-day 900000000'.split(
  ' ',
);

export type Machine = Awaited<ReturnType<typeof openMachine>>;

/** What the servers under test stand on: a PostgreSQL that waits for its disk, a Redis, and an organization in it. */
export async function openMachine() {
  const guardian = startGuardian();
  const { directory } = guardian;
  publishHarness({ directory, seedDirectory: directory, postgresUrl: undefined });
  const postgres = await startPostgres(directory, 'bench', { durable: true });
  const redis = await startRedis();
  const envOf = (database: string) => ({
    DATABASE_URL: postgres.url(database),
    SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
    DATA_DIR: directory,
    LOG_LEVEL: 'info',
  });
  const env = envOf('postgres');
  const made = await bootstrapDatabase(env, ...UNREACHED);

  const createDatabase = async (name: string): Promise<string> => {
    const knex = knexFactory({ client: 'pg', connection: postgres.url('postgres') });
    await knex.raw('CREATE DATABASE ??', [name]);
    await knex.destroy();
    return postgres.url(name);
  };
  return {
    directory,
    /** For a server on the database of `made`, which counts in its own process. */
    env,
    redisUrl: redis.url,
    made,
    /** Another database, empty: its URL. */
    createDatabase,
    /** Another database with an organization in it. */
    bootstrap: async (name: string) => {
      await createDatabase(name);
      return { env: envOf(name), made: await bootstrapDatabase(envOf(name), ...UNREACHED) };
    },
    close: async () => {
      await redis.stop();
      await postgres.kill();
      await guardian.finish();
    },
  };
}
