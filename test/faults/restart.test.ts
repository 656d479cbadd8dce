import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { credentialsOf, getCode, getTokens, refreshForm } from '../oauth/support.ts';
import { createBalancer } from '../support/balancer.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { type ServerProcess, startSecondNode, startServer } from '../support/server-process.ts';

const JWKS_CACHE_SECONDS = 2;
const APPS = 8;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it never came true');
    await pause(50);
  }
}

describeWith('postgresql', 'Processes that are restarted', () => {
  let site: PreparedSite<Client[]>;
  let nodes: ServerProcess[];

  beforeAll(async () => {
    site = await startPreparedSite(
      'postgresql',
      async (services, made) => {
        const apps: Client[] = [];
        for (let i = 0; i < APPS; i++) apps.push(await addApp(services, made));
        return apps;
      },
      { DRAIN_SECONDS: '1', JWKS_CACHE_SECONDS: String(JWKS_CACHE_SECONDS) },
    );
    nodes = [site.server, await startSecondNode(site)];
  }, 60_000);
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await site?.stop();
  });

  const startAnew = (node: ServerProcess): Promise<ServerProcess> =>
    startServer({ ...site.env, API_URL: site.server.url, PORT: String(node.port) });

  test('one after the other, under load, while the signing keys are rotated and the schema is migrated: no request fails, nor any verification', async () => {
    const failures: string[] = [];
    const counts: Record<string, number> = {};
    let isOver = false;
    const balancer = createBalancer(nodes);
    const ask: (
      ...asked: Parameters<typeof requestAt> extends [unknown, ...infer Rest] ? Rest : never
    ) => Promise<Record<string, unknown>> = async (path, asked) => {
      const { status, body } = await requestAt(balancer.next(), path, asked);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
      return body;
    };
    const keys = createRemoteJWKSet(new URL(`${site.server.url}/.well-known/jwks.json`), {
      cacheMaxAge: JWKS_CACHE_SECONDS * 1000,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [customFetch]: async () => Response.json(await ask('/.well-known/jwks.json')),
    });
    const keepDoing = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      while (!isOver) {
        await work().catch((error: unknown) => {
          failures.push(`${what}: ${String(error)}`);
          return pause(50);
        });
        counts[what] = (counts[what] ?? 0) + 1;
      }
    };
    const service = credentialsOf(site.made.apps.service);
    const signers = new Set<unknown>();
    const refreshing = async () => {
      let { refresh_token: refreshToken } = await getTokens(site);
      return async () => {
        const body = await ask('/oauth/token', { form: refreshForm(site.made.apps.web, refreshToken) });
        refreshToken = String(body['refresh_token']);
        await ask('/v1/me', { credential: String(body['access_token']) });
      };
    };
    const refreshes = [await refreshing(), await refreshing()];
    const load = [
      keepDoing('issuing and verifying', async () => {
        const form = { grant_type: 'client_credentials', ...service };
        const token = String((await ask('/oauth/token', { form }))['access_token']);
        const { protectedHeader } = await jwtVerify(token, keys, { issuer: site.server.url });
        signers.add(protectedHeader.kid);
        const { active } = await ask('/oauth/introspect', { form: { token, ...service } });
        if (active !== true) throw new Error('not active');
      }),
      keepDoing('a key', () => ask('/v1/me', { credential: site.made.apiKeys.live })),
      ...refreshes.map((refresh, i) => keepDoing(`refreshing ${i}`, refresh)),
    ];

    const sql = site.services.database.sql();
    try {
      // As after an upgrade: the first that starts has a column to add, while the other serves on.
      await sql('migrations').where({ name: '0014-security-profile' }).delete();
      await sql.raw('ALTER TABLE apps DROP COLUMN security_profile');
      for (const [i, node] of nodes.entries()) {
        expect(await node.stop()).toBe(0);
        await site.services.signingKeys.rotate({ type: 'operator' });
        nodes[i] = await startAnew(node);
        await until(() => balancer.sendsTo(node));
      }
      await until(() => signers.size >= 3);
    } finally {
      isOver = true;
      await Promise.all(load);
      await balancer.stop();
    }
    expect(await sql('migrations').where({ name: '0014-security-profile' })).toHaveLength(1);
    expect(failures).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20);
  }, 120_000);

  /** A code for each app, so that each has a grant of its own. */
  const codes = async () => {
    const made: { client: Client; redemption: Record<string, string> }[] = [];
    for (const client of site.extra) {
      made.push({ client, redemption: (await getCode(site, { client })).redemption });
    }
    return made;
  };
  const redeemAt = (node: ServerProcess, form: Record<string, string>) =>
    requestAt(node, '/oauth/token', { form }).catch(() => undefined);

  test('killed while codes are redeemed: what was given is good at the other, no code gives two grants', async () => {
    const [first, second] = nodes as [ServerProcess, ServerProcess];
    const made = await codes();
    let answered = 0;
    const asked = made.map(async ({ redemption }) => {
      const answer = await redeemAt(second, redemption);
      answered += 1;
      return answer;
    });
    await until(() => answered >= 2);
    await second.kill();
    const outcomes = await Promise.all(asked);
    for (const [i, { client, redemption }] of made.entries()) {
      const before = outcomes[i];
      if (before) {
        expect(before.status).toBe(200);
        const credential = String(before.body['access_token']);
        expect((await requestAt(first, '/v1/me', { credential })).status).toBe(200);
        continue;
      }
      // Either nothing was done, and the code is good; or it was, and all that came of it ends with the second use.
      const again = await redeemAt(first, redemption);
      const live = await site.services.database
        .sql()('oauth_records')
        .where({ kind: 'RefreshToken' })
        .whereRaw("payload->>'clientId' = ?", [client.clientId]);
      expect(`${again?.status}: ${live.length}`).toMatch(/^(200: 1|400: 0)$/);
    }
    nodes[1] = await startAnew(second);
  }, 60_000);

  test('killed between the spending of a code and the saving of its tokens: neither has happened', async () => {
    const [first, second] = nodes as [ServerProcess, ServerProcess];
    const sql = site.services.database.sql();
    const { redemption } = await getCode(site);
    await sql.raw(`
      CREATE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(2); RETURN NEW; END';
      CREATE TRIGGER wait_a_little BEFORE INSERT ON oauth_records
        FOR EACH ROW WHEN (NEW.kind = 'RefreshToken') EXECUTE FUNCTION wait_a_little()`);
    const asked = redeemAt(second, redemption);
    const waiting = sql('pg_stat_activity').where({ wait_event: 'PgSleep' });
    await until(async () => (await waiting.clone()).length > 0);
    await second.kill();
    expect(await asked).toBeUndefined();
    await sql.raw('DROP TRIGGER wait_a_little ON oauth_records; DROP FUNCTION wait_a_little()');
    expect((await redeemAt(first, redemption))?.status).toBe(200);
    expect((await redeemAt(first, redemption))?.body['error']).toBe('invalid_grant');
    nodes[1] = await startAnew(second);
  }, 60_000);
});
