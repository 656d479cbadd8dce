import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES, type Scope } from '../../config/scopes.ts';
import { bootstrap } from '../../src/bootstrap.ts';
import { callbackOf, getTokens, refreshForm, tokenRequest, walk } from '../oauth/support.ts';
import { callApi, me, ownToken } from '../support/api.ts';
import { AMPLE } from '../support/limits.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';

type Body = {
  id: string;
  code: string;
  clientSecret?: string;
  requiredScopes?: string[];
  errors?: { path: string }[];
  data: Body[];
  [member: string]: unknown;
};

type Extra = {
  owner: Person;
  sandbox: Client;
  /** A live app of another organization, and that organization's own admin. */
  other: { app: string; service: Client };
};

const WEB = {
  name: 'An app',
  kind: 'web',
  environment: 'live',
  redirectUris: ['https://app.example.com/cb'],
};

const suite = (database: 'postgresql' | 'embedded'): void => {
  let site: PreparedSite<Extra>;
  let admin: string;

  const call = (method: string, path: string, credential: string, body?: object) =>
    callApi<Body>(site, credential, method, path, body);

  const create = (fields: object = {}, credential = admin) =>
    call('POST', '/v1/apps', credential, { ...WEB, scopes: ['prompts:read'], ...fields });

  const service = (fields: object = {}) => create({ kind: 'service', redirectUris: [], ...fields });

  const clientToken = (clientId: string, clientSecret: string, scope?: string) =>
    tokenRequest(site, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      ...(scope === undefined ? {} : { scope }),
    });

  const tokenOf = (client: Client, scopes: readonly Scope[] = ALL_SCOPES) =>
    ownToken(site, client, scopes.join(' '));

  const events = async (targetId: string) =>
    (await call('GET', `/v1/organization/audit-log?targetId=${targetId}`, admin)).body.data.map(
      ({ type }) => type,
    );

  /** `/v1/me` once the change has reached the process: within a second, as the contract says. */
  const refusal = async (credential: string) => {
    const until = Date.now() + 1_000;
    let answer = await me(site, credential);
    while (answer.status === 200 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await me(site, credential);
    }
    return answer;
  };

  beforeAll(async () => {
    site = await startPreparedSite(database, async (services, made) => {
      const there = await bootstrap(services, { ...AMPLE, organization: 'Another' });
      return {
        owner: await addPerson(services, 'app-owner@example.com', [
          { organizationId: made.organization.id, role: 'owner' },
        ]),
        sandbox: await addApp(services, made, { kind: 'service', environment: 'test' }),
        other: {
          app: there.apps.web.clientId,
          service: { ...there.apps.service, redirectUris: [] },
        },
      };
    });
    admin = await tokenOf({ ...site.made.apps.service, redirectUris: [] });
  }, 60_000);

  afterAll(() => site?.stop());

  test('an app is registered with its secret, shown this once, and reads back without it', async () => {
    const { status, body } = await create({ homepageUrl: 'https://example.com', requirePkce: false });
    expect(status).toBe(201);
    expect(body).toEqual({
      object: 'app',
      id: expect.stringMatching(/^app_/),
      ...WEB,
      scopes: ['prompts:read'],
      requirePkce: false,
      postLogoutRedirectUris: [],
      tokenEndpointAuthMethod: 'client_secret_basic',
      jwks: null,
      jwksUri: null,
      limits: {},
      tokenSigningAlg: 'RS256',
      securityProfile: 'standard',
      homepageUrl: 'https://example.com',
      logoUrl: null,
      privacyUrl: null,
      grantTypes: ['authorization_code', 'refresh_token'],
      createdBy: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      clientSecret: expect.stringMatching(/^secret_[0-9A-Za-z]{36}$/),
    });
    const { clientSecret: _, ...rest } = body;
    expect(await call('GET', `/v1/apps/${body.id}`, admin)).toEqual({ status: 200, body: rest });
    expect(await events(body.id)).toEqual(['app.created']);
  });

  test('an app chooses what signs its tokens, at first and later; what its key can not do is refused', async () => {
    const { body } = await create({ tokenSigningAlg: 'ES256' });
    expect(body['tokenSigningAlg']).toBe('ES256');
    const change = (tokenSigningAlg: string) =>
      call('PATCH', `/v1/apps/${body.id}`, admin, { tokenSigningAlg });
    expect(await change('EdDSA')).toMatchObject({ status: 200, body: { tokenSigningAlg: 'EdDSA' } });
    for (const algorithm of ['none', 'HS256', 'PS256']) expect((await change(algorithm)).status).toBe(422);
    expect((await call('GET', `/v1/apps/${body.id}`, admin)).body['tokenSigningAlg']).toBe('EdDSA');
  });

  test('a public app has no secret and can be given none', async () => {
    const { body } = await create({ kind: 'spa' });
    expect(body.clientSecret).toBeUndefined();
    expect((await call('POST', `/v1/apps/${body.id}/secrets`, admin)).status).toBe(409);
    expect((await call('GET', `/v1/apps/${body.id}/secrets`, admin)).body.data).toEqual([]);
  });

  test.each([
    ['a web app without redirect URIs', { redirectUris: [] }, 'redirectUris'],
    ['a service with one', { kind: 'service' }, 'redirectUris'],
    ['plain HTTP elsewhere than on loopback', { redirectUris: ['http://example.com/cb'] }, 'redirectUris.0'],
    ['a public app without PKCE', { kind: 'spa', requirePkce: false }, 'requirePkce'],
    ['an unknown kind', { kind: 'robot' }, 'kind'],
    ['an unknown scope', { scopes: ['prompts:all'] }, 'scopes.0'],
    ['a scope twice', { scopes: ['prompts:read', 'prompts:read'] }, 'scopes'],
    ['a homepage over plain HTTP', { homepageUrl: 'http://example.com' }, 'homepageUrl'],
    ['a logo that is script', { logoUrl: 'javascript:alert(1)' }, 'logoUrl'],
    ['a blank name', { name: '  ' }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['an organization', { organizationId: 'org_x' }, 'organizationId'],
  ])('%s is refused', async (_, fields, path) => {
    const { status, body } = await create(fields);
    expect([status, body.errors?.map((error) => error.path)]).toEqual([422, [path]]);
  });

  test("an app can't be given a scope its creator lacks, at creation, by a change, or through a secret or an address", async () => {
    const { body: wide } = await create({ scopes: ['prompts:read', 'reports:write'] });
    const limited = await tokenOf({ ...site.made.apps.service, redirectUris: [] }, [
      'organization:admin',
      'prompts:read',
    ]);
    expect(await create({ scopes: ['prompts:read', 'reports:write'] }, limited)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope', requiredScopes: ['reports:write'] },
    });
    const { body: narrow } = await create({}, limited);
    const widen = { scopes: ['prompts:read', 'reports:read'] };
    expect((await call('PATCH', `/v1/apps/${narrow.id}`, limited, widen)).status).toBe(403);
    expect((await call('POST', `/v1/apps/${wide.id}/secrets`, limited)).status).toBe(403);
    const redirect = { redirectUris: ['https://evil.example/cb'] };
    expect((await call('PATCH', `/v1/apps/${wide.id}`, limited, redirect)).status).toBe(403);
    expect((await call('PATCH', `/v1/apps/${wide.id}`, limited, { name: 'Renamed' })).status).toBe(200);
  });

  test('an app is changed member by member; null removes a link; kind and environment stay', async () => {
    const { body } = await create({ homepageUrl: 'https://example.com', logoUrl: 'https://example.com/l' });
    const path = `/v1/apps/${body.id}`;
    const changed = await call('PATCH', path, admin, {
      name: 'New',
      scopes: ['reports:read'],
      logoUrl: null,
    });
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'New', scopes: ['reports:read'], logoUrl: null, homepageUrl: 'https://example.com' },
    });
    expect((await call('GET', path, admin)).body).toEqual(changed.body);
    expect((await call('PATCH', path, admin, { kind: 'spa' })).status).toBe(422);
    expect((await call('PATCH', path, admin, { environment: 'test' })).status).toBe(422);
    expect((await call('PATCH', path, admin, { redirectUris: [] })).status).toBe(422);
    expect(await events(body.id)).toEqual(['app.updated', 'app.created']);
  });

  test("another organization's ids give 404, and a sandbox credential knows of sandbox apps alone", async () => {
    const { other, sandbox } = site.extra;
    const { body: live } = await create();
    const test_ = site.made.apiKeys.test;
    const there = await tokenOf(other.service);
    for (const [id, credential] of [
      [other.app, admin],
      [live.id, test_],
      [live.id, there],
    ] as const) {
      for (const [method, path, body] of [
        ['GET', `/v1/apps/${id}`],
        ['PATCH', `/v1/apps/${id}`, { name: 'x' }],
        ['DELETE', `/v1/apps/${id}`],
        ['GET', `/v1/apps/${id}/secrets`],
        ['POST', `/v1/apps/${id}/secrets`],
        ['DELETE', `/v1/apps/${id}/secrets/sec_${'0'.repeat(26)}`],
        ['DELETE', `/v1/apps/${id}/secrets?id=sec_${'0'.repeat(26)}`],
      ] as const) {
        expect([method, path, (await call(method, path, credential, body)).status]).toEqual([
          method,
          path,
          404,
        ]);
      }
    }
    expect((await create({}, test_)).status).toBe(403);
    expect((await create({ environment: 'test' }, test_)).status).toBe(201);
    const ids = (await call('GET', '/v1/apps?limit=100', test_)).body.data;
    expect(ids.map(({ id }) => id)).toContain(sandbox.clientId);
    expect(ids.every(({ environment }) => environment === 'test')).toBe(true);
  });

  test("a secret of one app can't be deleted through another", async () => {
    const { body: one } = await service();
    const { body: two } = await service();
    const { body: secret } = await call('POST', `/v1/apps/${one.id}/secrets`, admin);
    expect((await call('DELETE', `/v1/apps/${two.id}/secrets/${secret.id}`, admin)).status).toBe(404);
    expect((await clientToken(one.id, secret.clientSecret ?? '')).status).toBe(200);
  });

  test('secrets overlap: both authenticate, a deleted one does not, and the last one stays', async () => {
    const { body: app } = await service();
    const secrets = `/v1/apps/${app.id}/secrets`;
    const { status, body: second } = await call('POST', secrets, admin);
    expect(status).toBe(201);
    expect(second).toEqual({
      object: 'app_secret',
      id: expect.stringMatching(/^sec_/),
      last4: second.clientSecret?.slice(-4),
      createdAt: expect.any(String),
      expiresAt: null,
      lastUsedAt: null,
      clientSecret: expect.stringMatching(/^secret_/),
    });
    const first = app.clientSecret ?? '';
    expect((await clientToken(app.id, first)).status).toBe(200);
    expect((await clientToken(app.id, second.clientSecret ?? '')).status).toBe(200);

    const { data } = (await call('GET', secrets, admin)).body;
    expect(data).toHaveLength(2);
    expect(JSON.stringify(data)).not.toContain(first);
    const firstId = data[1]?.id;
    expect((await call('DELETE', `${secrets}?id=${firstId}`, admin)).status).toBe(204);
    expect((await clientToken(app.id, first)).body).toMatchObject({ error: 'invalid_client' });
    expect((await clientToken(app.id, second.clientSecret ?? '')).status).toBe(200);
    const last = await call('DELETE', `${secrets}/${second.id}`, admin);
    expect([last.status, last.body['detail']]).toEqual([409, expect.stringContaining('add another first')]);
    expect((await call('DELETE', secrets, admin)).status).toBe(422);
    expect(await events(app.id)).toEqual(['app.secret_deleted', 'app.secret_created', 'app.created']);
  });

  test('of two deletions of the last two secrets at once, one is refused', async () => {
    const { body: app } = await service();
    await call('POST', `/v1/apps/${app.id}/secrets`, admin);
    const { data } = (await call('GET', `/v1/apps/${app.id}/secrets`, admin)).body;
    const answers = await Promise.all(
      data.map(({ id }) => call('DELETE', `/v1/apps/${app.id}/secrets/${id}`, admin)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 409]));
  });

  test('an app has at most five secrets, under concurrency too; expired ones make room and do not count as the last', async () => {
    const { body: app } = await service();
    const secrets = `/v1/apps/${app.id}/secrets`;
    const soon = { expiresAt: new Date(Date.now() + 1_000).toISOString() };
    const { body: short } = await call('POST', secrets, admin, soon);
    expect((await clientToken(app.id, short.clientSecret ?? '')).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', secrets, admin)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await clientToken(app.id, short.clientSecret ?? '')).status).toBe(401);
    expect((await call('POST', secrets, admin)).status).toBe(201);
    expect((await call('POST', secrets, admin)).status).toBe(409);
    expect((await call('POST', secrets, admin, { expiresAt: '2001-01-01T00:00:00Z' })).status).toBe(422);
  });

  test('the last use of a secret shows within seconds', async () => {
    const { body: app } = await service();
    await clientToken(app.id, app.clientSecret ?? '');
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    const { data } = (await call('GET', `/v1/apps/${app.id}/secrets`, admin)).body;
    expect(Date.now() - Date.parse(String(data[0]?.['lastUsedAt']))).toBeLessThan(20_000);
  });

  test('deleting an app ends its tokens and secrets, and what people allowed it', async () => {
    const { body } = await create({ redirectUris: ['http://localhost:8080/callback'] });
    const client = {
      clientId: body.id,
      clientSecret: body.clientSecret ?? '',
      redirectUris: ['http://localhost:8080/callback'],
    };
    const person = site.extra.owner;
    const agent = createUserAgent(site.server.url);
    const tokens = await getTokens(site, { agent, person, client, params: { scope: 'prompts:read' } });
    expect((await me(site, tokens.access_token)).status).toBe(200);
    expect((await call('DELETE', `/v1/apps/${body.id}`, admin)).status).toBe(204);
    expect(await refusal(tokens.access_token)).toMatchObject({
      status: 401,
      body: { code: 'credential_revoked' },
    });
    expect((await tokenRequest(site, refreshForm(client, tokens.refresh_token))).status).toBe(401);
    expect((await call('GET', `/v1/apps/${body.id}`, admin)).status).toBe(404);
    expect((await call('DELETE', `/v1/apps/${body.id}`, admin)).status).toBe(404);
    expect(await events(body.id)).toContain('app.deleted');
    if (database === 'postgresql') {
      const { rows } = await site.services.database
        .sql()
        .raw<{ rows: unknown[] }>(
          'SELECT 1 FROM oauth_records WHERE grant_id IS NOT NULL AND grant_id NOT IN (SELECT id FROM grants)',
        );
      expect(rows).toEqual([]);
    }
  });

  test.each([
    ['web', 'https://app.example.com/callback', undefined],
    ['web', 'https://app.example.com', undefined],
    ['web', 'https://app.example.com:8443/callback?from=us', undefined],
    ['web', 'http://localhost:8080/callback', undefined],
    ['web', 'http://127.0.0.1/callback', undefined],
    ['web', 'http://[::1]:3000/callback', undefined],
    ['web', 'https://localhost/callback', undefined],
    ['spa', 'https://app.example.com/callback', undefined],
    ['spa', 'http://localhost:5173/', undefined],
    ['native', 'https://app.example.com/callback', undefined],
    ['native', 'http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback'],
    ['native', 'http://[::1]/callback', 'http://[::1]:49152/callback'],
    ['native', 'http://localhost:8080/callback', undefined],
    ['native', 'com.example.app:/callback', undefined],
    ['native', 'com.example.my-app://callback', undefined],
  ])('a %s app registered with %s is sent back there', async (kind, registered, used) => {
    const { status, body } = await create({ kind, redirectUris: [registered] });
    expect(status).toBe(201);
    const agent = createUserAgent(site.server.url);
    const redirectUri = used ?? registered;
    const url = authorizationUrl(site, pkce().challenge, {
      client_id: body.id,
      redirect_uri: redirectUri,
      scope: 'prompts:read',
    });
    const walked = await walk(agent, url, site.extra.owner);
    expect(callbackOf(walked).get('code')).toBeTruthy();
    expect(walked.end.leftTo?.href.startsWith(redirectUri)).toBe(true);
    await call('DELETE', `/v1/apps/${body.id}`, admin);
  });

  test('the list is paged, newest first', async () => {
    const first = await call('GET', '/v1/apps?limit=2', admin);
    expect(first.body).toMatchObject({ object: 'list', hasMore: true });
    const cursor = String(first.body['nextCursor']);
    const second = await call('GET', `/v1/apps?limit=100&cursor=${cursor}`, admin);
    const ids = [...first.body.data, ...second.body.data].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
  });

  test('an organization has at most 100 apps, exactly, under 30 concurrent registrations', async () => {
    const { data } = (await call('GET', '/v1/apps?limit=100', admin)).body;
    for (let made = data.length; made < 90; made++) await service();
    const answers = await Promise.all(Array.from({ length: 30 }, () => service()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(20);
  }, 60_000);
};

describeWith('postgresql', 'Apps over /v1 on PostgreSQL', () => {
  suite('postgresql');
});
describe('Apps over /v1 on the embedded database', () => {
  suite('embedded');
});
