import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { me } from '../support/api.ts';
import { freshDataDir } from '../support/databases.ts';
import { programEnv } from '../support/harness.ts';
import { type Site, startSite } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { askedScopes, getCode, getTokens, refreshForm, tokenRequest } from './support.ts';

type Registered = Record<string, unknown> & {
  client_id: string;
  client_secret?: string;
  registration_access_token: string;
  registration_client_uri: string;
  error?: string;
};

/** Each request from a network of its own: limits are under test where they are. */
let networks = 0;

const send = async (url: string | URL, method: string, body?: unknown, token?: string) => {
  const response = await fetch(url, {
    method,
    headers: {
      'Content-Type': 'application/json',
      'X-Forwarded-For': `198.51.100.${networks++ % 250}`,
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text ? JSON.parse(text) : {}) as Registered,
  };
};

const register = (site: Pick<Site, 'server'>, metadata: unknown, token?: string) =>
  send(new URL('/oauth/register', site.server.url), 'POST', metadata, token);

const MCP_CLIENT = {
  client_name: 'A desktop tool',
  redirect_uris: ['http://127.0.0.1:33418/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

describe('Registration is off unless the operator opens it', () => {
  test('there is no endpoint, and discovery names none', async () => {
    const site = await startSite();
    expect((await register(site, MCP_CLIENT)).status).toBe(404);
    const document = await fetch(new URL('/.well-known/oauth-authorization-server', site.server.url));
    expect(await document.json()).not.toHaveProperty('registration_endpoint');
    await site.stop();
  }, 60_000);
});

describe('Open registration', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ REGISTRATION: 'open', TRUSTED_PROXIES: '127.0.0.1' });
  }, 60_000);
  afterAll(() => site.stop());

  const clientOf = (body: Registered) => ({
    clientId: body.client_id,
    clientSecret: body.client_secret ?? '',
    redirectUris: body['redirect_uris'] as string[],
  });

  test('§3.2.1: a public app on a device registers itself, and what it got is told', async () => {
    const { status, headers, body } = await register(site, MCP_CLIENT);
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      ...MCP_CLIENT,
      client_id: expect.stringMatching(/^app_/),
      client_id_issued_at: expect.any(Number),
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      scope: ALL_SCOPES.filter((scope) => scope !== 'organization:admin').join(' '),
      registration_access_token: expect.stringMatching(/^reg_[0-9A-Za-z]{36}$/),
      registration_client_uri: `${site.server.url}/oauth/register/${body.client_id}`,
    });
  });

  test('it gets a token by a person’s consent, on a page that says that nobody has checked it', async () => {
    const client = clientOf((await register(site, MCP_CLIENT)).body);
    const { walked } = await getCode(site, {
      client,
      agent: createUserAgent(site.server.url),
      params: { redirect_uri: 'http://127.0.0.1:51234/callback', scope: 'prompts:read' },
    });
    expect(walked.consent?.html).toContain('Unverified');
    expect(walked.consent?.html).toContain('Nobody has checked who made this app');
    const tokens = await getTokens(site, { client, params: { scope: 'prompts:read' } });
    expect(await me(site, tokens.access_token)).toMatchObject({
      status: 200,
      body: {
        clientId: client.clientId,
        organizationId: site.made.organization.id,
        scopes: ['prompts:read'],
      },
    });
    expect((await tokenRequest(site, refreshForm(client, tokens.refresh_token))).status).toBe(200);
    const connected = await site.userAgent.open('/account/apps');
    expect(connected.html).toMatch(/A desktop tool[\s\S]*Unverified/);
  });

  test('it never gets organization:admin: not by asking at registration, nor at authorization', async () => {
    const { body } = await register(site, {
      ...MCP_CLIENT,
      scope: 'prompts:read organization:admin nonsense',
    });
    expect(body['scope']).toBe('prompts:read');
    const agent = createUserAgent(site.server.url);
    await expect(
      getCode(site, { client: clientOf(body), agent, params: { scope: 'organization:admin' } }),
    ).rejects.toThrow('invalid_scope');
  });

  test('members of ours in the metadata are ignored: organization, scopes, environment, secrets', async () => {
    const { body } = await register(site, {
      ...MCP_CLIENT,
      organization_id: site.made.organization.id,
      organizationId: site.made.organization.id,
      organization_name: 'Trusted',
      allowed_scopes: ['organization:admin'],
      environment: 'test',
      app_source: 'organization',
      app_kind: 'service',
      resource_server: true,
      require_pkce: false,
      secret_hashes: [{ id: 'sec_x', sha256: '00', expiresAtMs: null }],
    });
    expect(Object.keys(body).filter((name) => name.includes('organ') || name.includes('allowed'))).toEqual(
      [],
    );
    const { walked } = await getCode(site, {
      client: clientOf(body),
      agent: createUserAgent(site.server.url),
      params: { scope: undefined },
    });
    expect(askedScopes(walked.consent?.html ?? '')).not.toContain('organization:admin');
    expect(walked.consent?.html).toContain('Unverified');
    expect(walked.consent?.html).not.toContain('Trusted');
    const list = await fetch(new URL('/v1/apps', site.server.url), {
      headers: { Authorization: `Bearer ${site.made.apiKeys.live}` },
    });
    expect(JSON.stringify(await list.json())).not.toContain(body.client_id);
  });

  test('§2: a confidential app gets a secret, by default; with PKCE it redeems codes', async () => {
    const { body } = await register(site, { redirect_uris: ['https://app.example/cb'] });
    expect(body).toMatchObject({
      client_secret: expect.stringMatching(/^secret_/),
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
      client_name: 'app.example',
    });
    expect((await getTokens(site, { client: clientOf(body) })).access_token).toBeTruthy();
  });

  test.each<[string, object, string]>([
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['javascript:', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['plain HTTP elsewhere', { redirect_uris: ['http://evil.example/cb'] }, 'invalid_redirect_uri'],
    ['a wildcard', { redirect_uris: ['https://*.example/cb'] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: ['https://app.example/cb#x'] }, 'invalid_redirect_uri'],
    ['client credentials', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    ['implicit', { response_types: ['token'] }, 'invalid_client_metadata'],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata'],
    ['a secret of its own', { client_secret: 'mine' }, 'invalid_client_metadata'],
    [
      'keys without their method being right',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
    ],
    [
      'an internal jwks_uri in plain HTTP',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://10.0.0.1/jwks' },
      'invalid_client_metadata',
    ],
    ['a name over two lines', { client_name: 'a\nb' }, 'invalid_client_metadata'],
    ['a link that is no link', { client_uri: 'javascript:alert(1)' }, 'invalid_client_metadata'],
  ])('§3.2.2: refuses %s', async (_, more, error) => {
    expect(await register(site, { ...MCP_CLIENT, ...more })).toMatchObject({ status: 400, body: { error } });
  });

  test.each([['[]'], ['null'], ['{'], ['"x"'], [`{"client_name":"a\\u0000b"}`]])(
    '§3.2.2: refuses the body %s',
    async (body) => {
      expect(await register(site, body)).toMatchObject({
        status: 400,
        body: { error: 'invalid_client_metadata' },
      });
    },
  );

  test('RFC 7592 §2.1: its token reads it back without the secret; another token, or none, does not', async () => {
    const { body } = await register(site, { redirect_uris: ['https://app.example/cb'] });
    const { body: other } = await register(site, MCP_CLIENT);
    const read = await send(body.registration_client_uri, 'GET', undefined, body.registration_access_token);
    const { client_secret: _, client_secret_expires_at: __, ...rest } = body;
    expect(read).toMatchObject({ status: 200, body: rest });
    expect(JSON.stringify(read.body)).not.toMatch(/secret_[0-9A-Za-z]{8}|[0-9a-f]{64}/);
    for (const token of [undefined, other.registration_access_token, 'reg_x', site.made.apiKeys.live]) {
      expect((await send(body.registration_client_uri, 'GET', undefined, token)).status).toBe(401);
      expect((await send(body.registration_client_uri, 'PUT', changeOf(body), token)).status).toBe(401);
      expect((await send(body.registration_client_uri, 'DELETE', undefined, token)).status).toBe(401);
    }
    expect(
      (await send(body.registration_client_uri, 'PATCH', {}, body.registration_access_token)).status,
    ).toBe(405);
  });

  /** What an app that was answered so sends to change itself: all of it, without what is the server's. */
  const changeOf = (answer: Registered, change: object = {}): Record<string, unknown> => {
    const ours = /^(registration_|client_secret_expires_at|client_id_issued_at)/;
    return { ...Object.fromEntries(Object.entries(answer).filter(([name]) => !ours.test(name))), ...change };
  };
  const put = (
    { registration_client_uri: uri, registration_access_token: token }: Registered,
    body: unknown,
  ) => send(uri, 'PUT', body, token);

  test('RFC 7592 §2.2: what it says of itself takes the place of what it said, at once', async () => {
    const { body } = await register(site, { ...MCP_CLIENT, client_uri: 'https://tool.example/' });
    const { client_uri: _, ...rest } = changeOf(body);
    const redirectUri = 'com.example.tool:/callback';
    const changed = await put(body, { ...rest, redirect_uris: [redirectUri], scope: 'reports:read' });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        client_id: body.client_id,
        client_name: 'A desktop tool',
        redirect_uris: [redirectUri],
        scope: 'reports:read',
        registration_access_token: body.registration_access_token,
        registration_client_uri: body.registration_client_uri,
      },
    });
    expect(changed.body).not.toHaveProperty('client_uri');
    const read = await send(body.registration_client_uri, 'GET', undefined, body.registration_access_token);
    expect(read.body).toEqual(changed.body);
    const agent = createUserAgent(site.server.url);
    const params = { scope: undefined, redirect_uri: redirectUri };
    const { walked } = await getCode(site, { client: clientOf(changed.body), agent, params });
    expect(askedScopes(walked.consent?.html ?? '')).toEqual(['reports:read']);
  });

  test('RFC 7592 §2.2: without a new redirect URI or name the tokens go on; with one, people are asked again', async () => {
    const { body } = await register(site, { redirect_uris: ['https://app.example/cb'] });
    const client = clientOf(body);
    const tokens = await getTokens(site, { client, params: { scope: 'prompts:read' } });
    expect((await put(body, changeOf(body, { policy_uri: 'https://app.example/privacy' }))).status).toBe(200);
    expect((await me(site, tokens.access_token)).status).toBe(200);
    const moved = await put(body, changeOf(body, { redirect_uris: ['https://evil.example/cb'] }));
    expect(moved.status).toBe(200);
    expect((await me(site, tokens.access_token)).status).toBe(401);
    expect((await tokenRequest(site, refreshForm(client, tokens.refresh_token))).status).toBe(400);
    const { walked } = await getCode(site, {
      client: { ...client, redirectUris: ['https://evil.example/cb'] },
      params: { scope: 'prompts:read' },
    });
    expect(walked.consent?.html).toContain('evil.example');
  });

  test('RFC 7592 §2.2: it changes how it proves itself: the secret goes, and a new one is told once', async () => {
    const { body } = await register(site, { redirect_uris: ['https://app.example/cb'] });
    const same = await put(body, changeOf(body));
    expect(same.status).toBe(200);
    expect(same.body).not.toHaveProperty('client_secret');
    const probe = () =>
      tokenRequest(site, {
        grant_type: 'refresh_token',
        refresh_token: 'x',
        client_id: body.client_id,
        client_secret: body.client_secret ?? '',
      });
    expect((await probe()).body).toMatchObject({ error: 'invalid_grant' });
    const { client_secret: _, ...withoutSecret } = changeOf(body, { token_endpoint_auth_method: 'none' });
    expect((await put(body, withoutSecret)).body).not.toHaveProperty('client_secret');
    expect((await probe()).body).toMatchObject({ error: 'invalid_client' });
    const method = { token_endpoint_auth_method: 'client_secret_post' };
    const back = await put(body, { ...withoutSecret, ...method });
    expect(back.body).toMatchObject({ ...method, client_secret: expect.stringMatching(/^secret_/) });
    expect(back.body.client_secret).not.toBe(body.client_secret);
    expect((await probe()).body).toMatchObject({ error: 'invalid_client' });
  });

  test.each<[string, (body: Registered, other: Registered) => unknown, string]>([
    [
      'another client_id',
      (body, other) => changeOf(body, { client_id: other.client_id }),
      'invalid_client_metadata',
    ],
    ['no client_id', (body) => changeOf(body, { client_id: undefined }), 'invalid_client_metadata'],
    [
      'a secret that it doesn’t have',
      (body) => changeOf(body, { client_secret: `secret_${'A'.repeat(36)}` }),
      'invalid_client_metadata',
    ],
    [
      'a token of its choice',
      (body) => changeOf(body, { registration_access_token: 'reg_mine' }),
      'invalid_client_metadata',
    ],
    [
      'a secret that never ends',
      (body) => changeOf(body, { client_secret_expires_at: 0 }),
      'invalid_client_metadata',
    ],
    [
      'a bad redirect URI',
      (body) => changeOf(body, { redirect_uris: ['http://evil.example/'] }),
      'invalid_redirect_uri',
    ],
    ['no redirect URI', (body) => changeOf(body, { redirect_uris: undefined }), 'invalid_redirect_uri'],
    [
      'client credentials',
      (body) => changeOf(body, { grant_types: ['client_credentials'] }),
      'invalid_client_metadata',
    ],
    ['no object', () => [], 'invalid_client_metadata'],
    ['nothing', () => 'null', 'invalid_client_metadata'],
  ])('RFC 7592 §2.2: a change to %s is refused, and nothing is changed', async (_, make, error) => {
    const { body } = await register(site, { redirect_uris: ['https://app.example/cb'] });
    const { body: other } = await register(site, MCP_CLIENT);
    expect(await put(body, make(body, other))).toMatchObject({ status: 400, body: { error } });
    const read = await send(body.registration_client_uri, 'GET', undefined, body.registration_access_token);
    expect(read.body['redirect_uris']).toEqual(['https://app.example/cb']);
  });

  test('RFC 7592 §2.2: a change gives no more than a registration: no scope of an organization’s admin, no member of ours', async () => {
    const { body } = await register(site, MCP_CLIENT);
    const more = {
      scope: 'prompts:read organization:admin',
      organization_id: site.made.organization.id,
      resource_server: true,
      allowed_scopes: ['organization:admin'],
    };
    const { body: changed } = await put(body, changeOf(body, more));
    expect(changed).toMatchObject({ scope: 'prompts:read' });
    expect(JSON.stringify(changed)).not.toMatch(/organ|allowed|resource_server/);
  });

  test('RFC 7592 §2.3: it deletes itself, and what people allowed it ends', async () => {
    const { body } = await register(site, MCP_CLIENT);
    const client = clientOf(body);
    const tokens = await getTokens(site, { client, params: { scope: 'prompts:read' } });
    expect(
      (await send(body.registration_client_uri, 'DELETE', undefined, body.registration_access_token)).status,
    ).toBe(204);
    expect((await me(site, tokens.access_token)).status).toBe(401);
    expect((await tokenRequest(site, refreshForm(client, tokens.refresh_token))).status).toBe(401);
    expect(
      (await send(body.registration_client_uri, 'GET', undefined, body.registration_access_token)).status,
    ).toBe(401);
  });

  test('20 registrations an hour from one network', async () => {
    const from = (ip: string) =>
      fetch(new URL('/oauth/register', site.server.url), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': ip },
        body: JSON.stringify(MCP_CLIENT),
      });
    const statuses = await Promise.all(
      Array.from({ length: 25 }, async () => (await from('192.0.2.9')).status),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    expect((await from('192.0.2.10')).status).toBe(201);
  });
});

describe('Registration by initial access token', () => {
  test('§3: only who has a token that the operator made may register', async () => {
    const settings = { DATA_DIR: freshDataDir().dataDir, REGISTRATION: 'token' };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--liftoff-only', 'src/cli.ts', 'registration-tokens', 'create', '--days', '1'],
      { cwd: path.resolve(import.meta.dirname, '../..'), env: { ...programEnv(), ...settings } },
    );
    const site = await startSite(settings);
    const refused = await register(site, MCP_CLIENT);
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect((await register(site, MCP_CLIENT, 'iat_x')).status).toBe(401);
    expect((await register(site, MCP_CLIENT, stdout.trim())).status).toBe(201);
    await site.stop();
  }, 90_000);
});
