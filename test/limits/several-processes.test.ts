import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { callApi, ownToken } from '../support/api.ts';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { send } from '../support/node-request.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type ServerProcess, startSecondNode, startServer } from '../support/server-process.ts';

describeWith('postgresql', 'One organization over two processes that share a Redis', () => {
  describeWith('redis', 'and its limits', () => {
    let redis: RedisServer;
    let made: Bootstrapped;
    let servers: [ServerProcess, ServerProcess];
    let drop: () => Promise<void>;

    beforeAll(async () => {
      const database = await freshPostgres();
      drop = database.drop;
      redis = await startRedis();
      const env = {
        DATABASE_URL: database.databaseUrl,
        REDIS_URL: redis.url,
        SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        LOG_LEVEL: 'warn',
      };
      made = await bootstrapDatabase(env, '--plan', 'free', '--per-second', '5000', '--per-minute', '100');
      const first = await startServer(env);
      servers = [first, await startSecondNode({ env, server: first })];
    }, 120_000);
    afterAll(async () => {
      await Promise.all((servers ?? []).map((server) => server.stop()));
      await redis?.stop();
      await drop?.();
    });

    const me = (server: ServerProcess, credential: string) =>
      send(server, '/v1/me', { Authorization: `Bearer ${credential}` });

    const tokenOf = (scope: string) => ownToken({ server: servers[0] }, made.apps.service, scope);

    const secondKey = async (credential: string): Promise<string> => {
      const key = { name: 'second', environment: 'live', scopes: ['prompts:read'] };
      const at = { server: servers[0] };
      return (await callApi<{ key: string }>(at, credential, 'POST', '/v1/api-keys', key)).body.key;
    };

    test('400 requests at once with mixed credentials at a limit of 100: exactly 100 a method; Retry-After is exact', async () => {
      const admin = await tokenOf('organization:admin prompts:read'); // the first of that bucket's 100, with the next line
      const keys = [made.apiKeys.live, await secondKey(admin)];
      const tokens = [admin, await tokenOf('prompts:read')];
      const fire = (credentials: string[]) =>
        Array.from({ length: 400 }, (_, i) =>
          me(servers[i % 2] as ServerProcess, credentials[(i >> 1) % 2] as string),
        );
      const [byKey, byToken] = await Promise.all([Promise.all(fire(keys)), Promise.all(fire(tokens))]);
      const allowed = (answers: { status: number }[]) =>
        answers.filter(({ status }) => status === 200).length;
      expect(allowed(byKey)).toBe(100);
      expect(allowed(byToken)).toBe(100 - 1);
      expect(new Set([...byKey, ...byToken].map(({ status }) => status))).toEqual(new Set([200, 429]));

      // The same minute, to its end: a second before Retry-After is too early, at it is not.
      const refused = await me(servers[1], made.apiKeys.live);
      const answeredAt = performance.now();
      const retryAfter = Number(refused.headers['retry-after']);
      expect([refused.status, refused.headers['x-ratelimit-policy']]).toEqual([429, '100/minute']);
      const until = (seconds: number) =>
        new Promise((resolve) => setTimeout(resolve, answeredAt + seconds * 1000 - performance.now()));
      await until(retryAfter - 1);
      expect((await me(servers[0], made.apiKeys.live)).status).toBe(429);
      await until(retryAfter);
      expect((await me(servers[0], made.apiKeys.live)).status).toBe(200);
    }, 120_000);
  });
});
