import { bootstrapDatabase } from '../test/support/bootstrapped.ts';
import { startGuardian } from '../test/support/guardian.ts';
import { publishHarness } from '../test/support/harness.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { startRedis } from '../test/support/redis.ts';

/** Limits that no load here reaches. */
const UNREACHED = ['--plan', 'enterprise', '--per-second', '100000000', '--per-minute', '100000000'].concat(
  '--per-day',
  '900000000',
);

/** What the servers under test stand on: a PostgreSQL that waits for its disk, a Redis, and an organization in it. */
export async function openMachine() {
  const guardian = startGuardian();
  const { directory } = guardian;
  publishHarness({ directory, seedDirectory: directory, postgresUrl: undefined });
  const postgres = await startPostgres(directory, 'bench', { durable: true });
  const redis = await startRedis();
  const env = {
    DATABASE_URL: postgres.url('postgres'),
    SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
    DATA_DIR: directory,
  };
  const made = await bootstrapDatabase(env, ...UNREACHED);
  return {
    directory,
    env,
    redisUrl: redis.url,
    made,
    close: async () => {
      await redis.stop();
      await postgres.kill();
      await guardian.finish();
    },
  };
}
