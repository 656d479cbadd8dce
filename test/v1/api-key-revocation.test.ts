import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { callApi, ownToken } from '../support/api.ts';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { registerTestApp, withDatabase } from '../support/prepare.ts';
import { type ServerProcess, startSecondNode, startServer } from '../support/server-process.ts';

const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

/** The cache lives an hour: only the feed can make the second process forget within a second. */
describeWith('postgresql', 'A revocation, over two processes that remember credentials for an hour', () => {
  let made: Bootstrapped;
  let servers: ServerProcess[] = [];
  let env: Record<string, string>;
  let drop: () => Promise<void>;

  const status = async (server: ServerProcess, credential: string): Promise<number> =>
    (await requestAt(server, '/v1/me', { credential })).status;

  /** The status of every process one second after `change` was acknowledged. */
  const afterOneSecond = async (credential: string, change: () => Promise<unknown>): Promise<number[]> => {
    for (const server of servers) {
      expect(await status(server, credential)).toBe(200);
      expect(await status(server, credential)).toBe(200); // remembered by now
    }
    await change();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return Promise.all(servers.map((server) => status(server, credential)));
  };

  const first = () => ({ server: servers[0] as ServerProcess });
  const token = (scope: string) => ownToken(first(), made.apps.service, scope);

  const newKey = async (credential: string): Promise<{ id: string; key: string }> => {
    const key = { name: 'k', environment: 'live', scopes: ['prompts:read'] };
    return (await callApi<{ id: string; key: string }>(first(), credential, 'POST', '/v1/api-keys', key))
      .body;
  };

  beforeAll(async () => {
    const database = await freshPostgres();
    drop = database.drop;
    env = {
      DATABASE_URL: database.databaseUrl,
      SECRET_KEY,
      CREDENTIAL_CACHE_SECONDS: '3600',
      LOG_LEVEL: 'warn',
    };
    made = await bootstrapDatabase(env);
    const first = await startServer(env);
    const second = await startSecondNode({ env, server: first });
    servers = [first, second];
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await drop();
  });

  test('of a key reaches every process within a second', async () => {
    const admin = await token('organization:admin organization:read prompts:read');
    const { id, key } = await newKey(admin);
    const revoke = () => callApi(first(), admin, 'DELETE', `/v1/api-keys/${id}`);
    expect(await afterOneSecond(key, revoke)).toEqual([401, 401]);
  }, 20_000);

  test('by rotation without grace reaches every process within a second', async () => {
    const admin = await token('organization:admin organization:read prompts:read');
    const { id, key } = await newKey(admin);
    const rotate = () =>
      callApi(first(), admin, 'POST', `/v1/api-keys/${id}/rotate`, { gracePeriodSeconds: 0 });
    expect(await afterOneSecond(key, rotate)).toEqual([401, 401]);
  }, 20_000);

  test('by deleting the app reaches its tokens, and the keys that it made', async () => {
    await withDatabase(env, async (services) => {
      const app = await registerTestApp(services, {
        organizationId: made.organization.id,
        redirectUris: [],
        kind: 'service',
      });
      const accessToken = await ownToken(first(), app);
      const { key } = await newKey(accessToken);
      expect(await status(servers[1] as ServerProcess, key)).toBe(200);
      const remove = () => services.database.sql()('apps').where({ id: app.clientId }).delete();
      expect(await afterOneSecond(accessToken, remove)).toEqual([401, 401]);
      expect(await status(servers[1] as ServerProcess, key)).toBe(401);
    });
  }, 30_000);

  test("of an address, by the organization's allowlist, reaches every process within a second; so does its undoing", async () => {
    const admin = await token('organization:admin organization:read prompts:read');
    const { key } = await newKey(admin);
    const allow = (ipAllowlist: string[]) =>
      fetch(new URL('/v1/organization', servers[0]?.url), {
        method: 'PATCH',
        headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ ipAllowlist }),
      });
    expect(await afterOneSecond(key, () => allow(['192.0.2.0/24']))).toEqual([403, 403]);
    await allow([]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await Promise.all(servers.map((server) => status(server, key)))).toEqual([200, 200]);
  }, 20_000);

  test('is not missed by a process whose feed was cut meanwhile', async () => {
    const admin = await token('organization:admin organization:read prompts:read');
    const { id, key } = await newKey(admin);
    await withDatabase(env, async ({ database }) => {
      const cutFeeds = () =>
        database
          .sql()
          .raw(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'promptreports-auth feed' AND datname = current_database()",
          );
      const cutRevokeCut = async () => {
        await cutFeeds();
        await database.sql()('api_keys').where({ id }).update({ revoked_at: database.sql().fn.now() });
        for (let i = 0; i < 10; i++) {
          await cutFeeds();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      expect(await afterOneSecond(key, cutRevokeCut)).toEqual([401, 401]);
    });
  }, 20_000);

  test("by a member's removal reaches the keys that the member made", async () => {
    const { live } = made.apiKeys;
    await withDatabase(env, async ({ database }) => {
      const remove = () => database.sql()('memberships').where({ user_id: made.user.id }).delete();
      expect(await afterOneSecond(live, remove)).toEqual([401, 401]);
    });
  }, 20_000);
});
