import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { withDatabase } from '../support/prepare.ts';
import { type ServerProcess, startSecondNode, startServer } from '../support/server-process.ts';

/** The stated bound of what a kill loses is the last second; a busy machine may begin a flush late, and take time to write. */
const BOUND_MS = 2_000;

describeWith('postgresql', 'Usage, counted by real processes', () => {
  let made: Bootstrapped;
  let env: Record<string, string>;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const database = await freshPostgres();
    drop = database.drop;
    env = {
      DATABASE_URL: database.databaseUrl,
      SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      LOG_LEVEL: 'warn',
    };
    made = await bootstrapDatabase(env, '--plan', 'enterprise');
  }, 60_000);
  afterAll(() => drop());

  const me = async (server: ServerProcess, credential: string): Promise<number> =>
    (await requestAt(server, '/v1/me', { credential })).status;

  type Sums = { requests: number; asked: number };
  const sums = (environment: 'live' | 'test'): Promise<Sums> =>
    withDatabase(env, async ({ database }) => {
      const { rows } = await database.sql().raw<{ rows: { requests: string; asked: string }[] }>(
        `SELECT (SELECT coalesce(sum(requests), 0) FROM usage_hours WHERE environment = :environment) AS requests,
                (SELECT coalesce(sum(a), 0) FROM usage_minutes, unnest(asked) AS a WHERE environment = :environment) AS asked`,
        { environment },
      );
      return { requests: Number(rows[0]?.requests), asked: Number(rows[0]?.asked) };
    });

  test('two that flush at the same time into the same rows, and are stopped, have counted every call once', async () => {
    const first = await startServer(env);
    const second = await startSecondNode({ env, server: first });
    const servers = [first, second];
    let calls = 0;
    for (const until = Date.now() + 2_500; Date.now() < until; ) {
      const statuses = await Promise.all(servers.map((server) => me(server, made.apiKeys.live)));
      expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
      calls += statuses.length;
    }
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
    expect(await sums('live')).toEqual({ requests: calls, asked: calls });
  }, 60_000);

  test('one that is killed with -9 loses at most what it counted last, and what it wrote is not written again', async () => {
    const server = await startServer(env);
    const answeredAt: number[] = [];
    for (const until = Date.now() + 2 * BOUND_MS; Date.now() < until; ) {
      await me(server, made.apiKeys.test);
      answeredAt.push(Date.now());
    }
    const killedAt = Date.now();
    await server.kill();
    const { requests: written, asked } = await sums('test');
    const mustBeThere = answeredAt.filter((at) => at < killedAt - BOUND_MS).length;
    expect(mustBeThere).toBeGreaterThan(10);
    expect(written).toBeGreaterThanOrEqual(mustBeThere);
    expect(written).toBeLessThanOrEqual(answeredAt.length);
    expect(asked).toBe(written); // hours and seconds in one statement

    const next = await startServer(env);
    await me(next, made.apiKeys.test);
    await next.stop();
    expect((await sums('test')).requests).toBe(written + 1);
  }, 60_000);
});
