import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import knex from 'knex';
import pg from 'pg';
import { loadConfig } from '../../config/config.ts';
import { type Bootstrapped, bootstrap } from '../../src/bootstrap.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices } from '../../src/services.ts';
import { credentialsOf, getCode, getTokens, refreshForm, tokenRequest } from '../oauth/support.ts';
import { me } from '../support/api.ts';
import { freshDataDir } from '../support/databases.ts';
import { harness } from '../support/harness.ts';
import { AMPLE } from '../support/limits.ts';
import { describeWith } from '../support/needs.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { authorizationUrl, pkce, type Site } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';

/** What a client may have to wait for its 503. */
const BOUND_MS = 15_000;

type Outcome = { name: string; status: number; retryAfter: string | null; ms: number; body: string };

describeWith('postgresql', 'When PostgreSQL fails under a running server', () => {
  let postgres: PostgresServer;
  let server: ServerProcess;
  let made: Bootstrapped;
  let site: Site;
  let env: Record<string, string>;

  beforeAll(async () => {
    postgres = await startPostgres(harness().directory, 'postgres-that-fails');
    env = {
      LOG_LEVEL: 'warn',
      DATA_DIR: freshDataDir().dataDir,
      SECRET_KEY: randomBytes(32).toString('base64'),
      REFRESH_GRACE_SECONDS: '0',
      DATABASE_URL: postgres.url('postgres'),
    };
    const services = await openServices(loadConfig(env), createLogger('warn'));
    made = await bootstrap(services, AMPLE);
    await services.close();
    server = await startServer(env);
    site = { server, made, userAgent: createUserAgent(server.url), stop: async () => {} };
  }, 120_000);

  afterAll(async () => {
    postgres?.thaw();
    await server?.stop();
    await postgres?.kill();
  });

  const timed = async (name: string, request: () => Promise<Response>): Promise<Outcome> => {
    const started = performance.now();
    const response = await request();
    const body = await response.text();
    const ms = Math.round(performance.now() - started);
    return { name, status: response.status, retryAfter: response.headers.get('retry-after'), ms, body };
  };

  /** One request of each kind that needs the database, all at once. */
  async function askEverything(code: Record<string, string>, refreshToken: string): Promise<Outcome[]> {
    const { url } = server;
    const page = loginPage;
    const form = (path: string, fields: Record<string, string>, headers = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams(fields),
        headers,
      });
    const html = { Accept: 'text/html' };
    return Promise.all([
      timed('an API key at /v1', () =>
        fetch(`${url}/v1/prompts`, { headers: { Authorization: `Bearer ${made.apiKeys.live}` } }),
      ),
      timed('an access token at /v1', () =>
        fetch(`${url}/v1/me`, { headers: { Authorization: `Bearer ${accessToken}` } }),
      ),
      timed('client credentials', () =>
        form('/oauth/token', { grant_type: 'client_credentials', ...credentialsOf(made.apps.service) }),
      ),
      timed('a code', () => form('/oauth/token', code)),
      timed('a refresh', () => form('/oauth/token', refreshForm(made.apps.web, refreshToken))),
      ...[accessToken, refreshToken, made.apiKeys.test].flatMap((token) => [
        timed('introspection', () =>
          form('/oauth/introspect', { token, ...credentialsOf(made.apps.service) }),
        ),
        timed('a revocation (RFC 7009 §2.2.1)', () =>
          form('/oauth/revoke', { token, ...credentialsOf(made.apps.web) }),
        ),
      ]),
      timed('the end of an API key', () =>
        fetch(`${url}/v1/api-keys/${testKeyId}`, {
          method: 'DELETE',
          headers: { Authorization: `Bearer ${made.apiKeys.test}` },
        }),
      ),
      timed('/oauth/authorize', () =>
        fetch(authorizationUrl(site, pkce().challenge), { redirect: 'manual', headers: html }),
      ),
      timed('/login', () =>
        form(
          '/login',
          { email: made.user.email, password: made.user.password, _csrf: page.token },
          { ...html, Cookie: page.cookie },
        ),
      ),
      timed('/signup', () =>
        form(
          '/signup',
          {
            name: 'n',
            email: 'new@example.com',
            password: 'correct horse battery',
            organization: '',
            _csrf: page.token,
          },
          { ...html, Cookie: page.cookie },
        ),
      ),
    ]);
  }

  let loginPage: { token: string; cookie: string };
  let accessToken: string;
  /** Of the key that ends itself. */
  let testKeyId: string;

  async function prepare(): Promise<{ redemption: Record<string, string>; refreshToken: string }> {
    const agent = createUserAgent(server.url);
    const { html } = await agent.open('/login');
    loginPage = {
      token: /name="_csrf" value="([^"]*)"/.exec(html)?.[1] ?? '',
      cookie: await agent.jar.getCookieString(server.url),
    };
    const tokens = await getTokens(site, { agent });
    accessToken = tokens.access_token;
    testKeyId ??= String((await me(site, made.apiKeys.test)).body['id']);
    const { redemption } = await getCode(site, { agent });
    return { redemption, refreshToken: tokens.refresh_token ?? '' };
  }

  const probe = (path: string) => timed(path, () => fetch(`${server.url}${path}`));

  function expectUnavailable(outcomes: Outcome[]): void {
    const summary = outcomes.map(({ name, status, retryAfter, ms }) => ({
      name,
      status,
      retryAfter: Number(retryAfter) > 0,
      inTime: ms < BOUND_MS ? true : ms,
    }));
    expect(summary).toEqual(
      outcomes.map(({ name }) => ({ name, status: 503, retryAfter: true, inTime: true })),
    );
    for (const { body } of outcomes) expect(body).not.toMatch(/\bat \w+ \(|ECONN|postgres|knex|timeout/i);
  }

  /** Waits until it serves again, which it has to do without being told. */
  async function expectHealed(): Promise<void> {
    const deadline = Date.now() + 20_000;
    while ((await probe('/readyz')).status !== 200) {
      expect(Date.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (let i = 0; i < 12; i++) expect((await me(site, made.apiKeys.live)).status).toBe(200);
  }

  /** A code is good for a minute: whatever became of the request, it was not spent for nothing. */
  async function expectWholeOrNothing(outcome: Outcome, form: Record<string, string>): Promise<void> {
    expect(outcome.status).not.toBe(200);
    const again = await tokenRequest(site, form);
    expect(`${again.status} ${again.body['error'] ?? ''}`).toBe('200 ');
  }

  test('killed: 503 with Retry-After in bounded time, not ready but alive, and it heals by itself', async () => {
    const { redemption, refreshToken } = await prepare();
    await postgres.kill();
    const outcomes = await askEverything(redemption, refreshToken);
    const [ready, live] = [await probe('/readyz'), await probe('/livez')];
    postgres.start();
    expectUnavailable(outcomes);
    expect(ready).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
    expect(live.status).toBe(200);
    await expectHealed();
    await expectWholeOrNothing(outcomes[3] as Outcome, redemption);
    await expectWholeOrNothing(outcomes[4] as Outcome, refreshForm(made.apps.web, refreshToken));
  }, 120_000);

  test('frozen: the same', async () => {
    const { redemption, refreshToken } = await prepare();
    postgres.freeze();
    const asked = askEverything(redemption, refreshToken);
    const [ready, live] = await Promise.all([probe('/readyz'), probe('/livez')]);
    const outcomes = await asked;
    postgres.thaw();
    expectUnavailable(outcomes);
    expect(ready.status).toBe(503);
    expect(ready.ms).toBeLessThan(BOUND_MS);
    expect(live.status).toBe(200);
    expect(live.ms).toBeLessThan(1_000);
    await expectHealed();
    // In the frozen server's socket a statement may wait and be done later: then the transaction was not committed.
    await expectWholeOrNothing(outcomes[3] as Outcome, redemption);
  }, 120_000);

  test('killed in the middle of redemptions: no code is spent without its tokens, none twice', async () => {
    const agent = createUserAgent(server.url);
    const codes = [];
    for (let i = 0; i < 12; i++) codes.push(await getCode(site, { agent }));
    const asked = codes.map(({ redemption }) =>
      tokenRequest(site, redemption).catch(() => ({ status: 0, body: {} as Record<string, unknown> })),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    await postgres.kill();
    const first = await Promise.all(asked);
    postgres.start();
    await expectHealed();
    for (const [i, answer] of first.entries()) {
      expect([200, 503]).toContain(answer.status);
      if (answer.status === 200) {
        expect((await me(site, String(answer.body['access_token']))).status).toBe(200);
        continue;
      }
      const again = await tokenRequest(site, codes[i]?.redemption ?? {});
      expect(`${again.status} ${again.body['error'] ?? ''}`).toBe('200 ');
    }
  }, 120_000);

  test('a connection that breaks between the spending of a code and the saving of its tokens: neither has happened', async () => {
    const { redemption, refreshToken } = await prepare();
    const admin = knex({ client: 'pg', connection: postgres.url('postgres'), pool: { min: 0, max: 1 } });
    await admin.raw(`
      CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
      CREATE TRIGGER break_off BEFORE INSERT ON oauth_records
        FOR EACH ROW WHEN (NEW.kind = 'RefreshToken') EXECUTE FUNCTION break_off()`);
    const forms = [redemption, refreshForm(made.apps.web, refreshToken)];
    const outcomes = await Promise.all(
      forms.map((form) =>
        timed('a token request', () =>
          fetch(`${server.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) }),
        ),
      ),
    );
    await admin.raw('DROP TRIGGER break_off ON oauth_records; DROP FUNCTION break_off()');
    await admin.destroy();
    expectUnavailable(outcomes);
    for (const [i, outcome] of outcomes.entries()) await expectWholeOrNothing(outcome, forms[i] ?? {});
  }, 60_000);

  test('read-only: what has to write is 503, and it heals', async () => {
    const { redemption, refreshToken } = await prepare();
    const admin = knex({ client: 'pg', connection: postgres.url('postgres'), pool: { min: 1, max: 1 } });
    await admin.raw('ALTER DATABASE postgres SET default_transaction_read_only = on');
    await admin.raw(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'promptreports-auth'",
    );
    const readOnly = await askEverything(redemption, refreshToken);
    await admin.raw('SET default_transaction_read_only = off');
    await admin.raw('ALTER DATABASE postgres SET default_transaction_read_only = off');
    await admin.raw(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'promptreports-auth'",
    );
    await admin.destroy();
    for (const { name, status } of readOnly) expect(`${name} ${status}`).not.toMatch(/ 500$/);
    for (const { name, status, retryAfter } of readOnly.filter(({ name }) =>
      /code|refresh$|signup/.test(name),
    )) {
      expect(`${name} ${status} ${retryAfter !== null}`).toBe(`${name} 503 true`);
    }
    await expectHealed();
    await expectWholeOrNothing(readOnly[3] as Outcome, redemption);
  }, 120_000);

  test('out of connections: 503 with Retry-After in bounded time, and it heals', async () => {
    const { redemption, refreshToken } = await prepare();
    const admin = new pg.Client({ connectionString: postgres.url('postgres') });
    await admin.connect();
    const ours = "FROM pg_stat_activity WHERE application_name LIKE 'promptreports-auth%'";
    const others: pg.Client[] = [];
    const takeOne = async (): Promise<boolean> => {
      const other = new pg.Client({ connectionString: postgres.url('postgres') });
      other.on('error', () => {});
      try {
        await other.connect();
        others.push(other);
        return true;
      } catch (error) {
        expect((error as { code?: string }).code).toBe('53300'); // too many clients already
        return false;
      }
    };
    // Until others have all connections that there are: the server comes back for one in between.
    for (let left = 1; left > 0; ) {
      await admin.query(`SELECT pg_terminate_backend(pid) ${ours}`);
      while (await takeOne());
      left = Number((await admin.query(`SELECT count(*) ${ours}`)).rows[0].count);
    }
    const outcomes = await askEverything(redemption, refreshToken);
    const [ready, live] = [await probe('/readyz'), await probe('/livez')];
    await Promise.all([admin, ...others].map((client) => client.end()));
    expectUnavailable(outcomes);
    expect([ready.status, live.status]).toEqual([503, 200]);
    await expectHealed();
    await expectWholeOrNothing(outcomes[3] as Outcome, redemption);
    await expectWholeOrNothing(outcomes[4] as Outcome, refreshForm(made.apps.web, refreshToken));
  }, 120_000);
});
