import type { Services } from '../../src/services.ts';
import { withDatabase } from '../../test/support/prepare.ts';
import { callWith, type Goal } from '../bench.ts';
import { load } from '../load.ts';
import { startBenchServer } from '../processes.ts';

/** Goal 8: what the database holds doesn't show in what a call costs: remembered, and asked for anew at each call. */
export const size: Goal = async ({ machine, report, short }) => {
  const { redisUrl } = machine;
  const [empty, full] = [await machine.bootstrap('empty'), await machine.bootstrap('full')];
  const [keys, rows] = short ? [10_000, 100_000] : [1_000_000, 10_000_000];
  await withDatabase(full.env, (services) => fill(services, full.made.organization.id, keys, rows));
  for (const [how, more] of [
    ['remembered', {}],
    ['proved by the database each time', { CREDENTIAL_CACHE_SECONDS: '0' }],
  ] as const) {
    const settings = { REDIS_URL: redisUrl, ...more };
    const [a, b] = [
      await startBenchServer('src/server.ts', { ...full.env, ...settings }),
      await startBenchServer('src/server.ts', { ...empty.env, ...settings }),
    ];
    await report.compare({
      name: `8: ${keys} keys, ${rows} usage rows, ${how}; over an empty database`,
      goal: 0.9,
      a: load(a, callWith(full.made.apiKeys.live)),
      b: load(b, callWith(empty.made.apiKeys.live)),
    });
    await Promise.all([a.stop(), b.stop()]);
  }
};

/** In pieces, each well within the bound on statements. */
async function fill(
  { database }: Services,
  organizationId: string,
  keys: number,
  rows: number,
): Promise<void> {
  const PIECE = 25_000;
  for (let done = 0; done < keys; done += PIECE) {
    await database.sql().raw(
      `INSERT INTO api_keys (id, organization_id, name, environment, scopes, key_hash, last4)
       SELECT 'key_' || lpad(n::text, 26, '0'), :organizationId, 'Bench', 'live', '{prompts:read}',
              sha256(('key ' || n)::bytea), 'abcd' FROM generate_series(:done::int + 1, :done::int + :piece::int) AS n`,
      { organizationId, done, piece: Math.min(PIECE, keys - done) },
    );
  }
  for (let done = 0; done < rows; done += PIECE) {
    // A thousand keys, each in hour after hour.
    await database.sql().raw(
      `INSERT INTO usage_hours (organization_id, environment, hour, method, credential, route, status, scope,
                                requests, allowed, refused)
       SELECT :organizationId, 'live', date_trunc('hour', now(), 'UTC') - (n / 1000) * interval '1 hour', 'api_key',
              'key_' || lpad((n % 1000)::text, 26, '0'), 'GET /v1/prompts', 200, 'prompts:read', 10, 10, 0
       FROM generate_series(:done::int + 1, :done::int + :piece::int) AS n`,
      { organizationId, done, piece: Math.min(PIECE, rows - done) },
    );
  }
  await database.sql().raw('ANALYZE api_keys, usage_hours');
}
