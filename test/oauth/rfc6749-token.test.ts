import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { me } from '../support/api.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { claimsOf } from '../support/site.ts';
import { credentialsOf, getCode, getTokens, refreshForm, tokenRequest } from './support.ts';

type Apps = Record<'narrow' | 'narrowService' | 'sandbox' | 'sandboxService' | 'other', Client>;

let site: PreparedSite<Apps>;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services, made) => ({
    narrow: await addApp(services, made, { scopes: ['prompts:read'] }),
    narrowService: await addApp(services, made, { kind: 'service', scopes: ['prompts:read'] }),
    sandbox: await addApp(services, made, { environment: 'test' }),
    sandboxService: await addApp(services, made, { kind: 'service', environment: 'test' }),
    other: await addApp(services, made, { name: 'Other app' }),
  }));
}, 120_000);

afterAll(() => site?.stop());

const basic = (id: string, secret: string) => ({
  Authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

/** RFC 6749 §5.2: JSON with `error`, never kept by a cache. */
async function expectError(
  expected: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const answer = await tokenRequest(site, form, headers);
  expect(`${answer.status} ${answer.body['error']}`).toBe(expected);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\bat \w+ \(/);
  return answer;
}

const serviceForm = (fields: Record<string, string> = {}) => ({
  grant_type: 'client_credentials',
  ...credentialsOf(site.made.apps.service),
  ...fields,
});

describe('RFC 6749 §5.2: invalid_client is 401', () => {
  const wrong = `secret_${'A'.repeat(36)}`;

  test('for an unknown client', async () => {
    await expectError('401 invalid_client', { ...serviceForm(), client_id: 'app_unknown' });
  });

  test('for a wrong secret, in the form or in the header', async () => {
    const { service } = site.made.apps;
    await expectError('401 invalid_client', serviceForm({ client_secret: wrong }));
    await expectError(
      '401 invalid_client',
      { grant_type: 'client_credentials' },
      basic(service.clientId, wrong),
    );
  });

  test('with WWW-Authenticate: Basic where the client used that', async () => {
    for (const id of [site.made.apps.service.clientId, 'app_unknown']) {
      const { headers } = await expectError(
        '401 invalid_client',
        { grant_type: 'client_credentials' },
        basic(id, wrong),
      );
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    }
  });

  test('for a confidential client without a secret, and with an empty one', async () => {
    const { clientId } = site.made.apps.service;
    await expectError('401 invalid_client', { grant_type: 'client_credentials', client_id: clientId });
    await expectError('401 invalid_client', serviceForm({ client_secret: '' }));
  });

  test("for another app's secret", async () => {
    await expectError('401 invalid_client', serviceForm({ client_secret: site.made.apps.web.clientSecret }));
  });

  test('for a hash, or the placeholder that the library is given, in place of the secret', async () => {
    await expectError('401 invalid_client', serviceForm({ client_secret: 'kept-as-sha256' }));
  });

  test('for a public client that sends a secret', async () => {
    const { redemption } = await getCode(site, { client: { ...site.made.apps.spa, clientSecret: '' } });
    await expectError('401 invalid_client', { ...redemption, client_secret: wrong });
  });

  test('the answer is the same for an unknown client and a wrong secret', async () => {
    const unknown = await expectError('401 invalid_client', {
      ...serviceForm(),
      client_id: 'app_01hzy3v7k0a4s9d8f7g6h5j4k3',
    });
    const known = await expectError('401 invalid_client', serviceForm({ client_secret: wrong }));
    expect(unknown.body).toEqual(known.body);
  });
});

describe('RFC 6749 §2.3: one way of authentication a request', () => {
  test('header and form at once are invalid_request', async () => {
    const { service } = site.made.apps;
    await expectError('400 invalid_request', serviceForm(), basic(service.clientId, service.clientSecret));
  });

  test('another client_id in the form than in the header is invalid_request', async () => {
    const { service, web } = site.made.apps;
    await expectError(
      '400 invalid_request',
      { grant_type: 'client_credentials', client_id: web.clientId },
      basic(service.clientId, service.clientSecret),
    );
  });

  test('none at all is refused', async () => {
    const { status } = await tokenRequest(site, { grant_type: 'client_credentials' });
    expect([400, 401]).toContain(status);
  });

  test.each(['Basic', 'Basic !!!', 'Basic Og==', 'Bearer abc', 'Basic YTpi YTpi', 'Basic //79'])(
    'the header "%s" is refused',
    async (value) => {
      const { status, body } = await tokenRequest(
        site,
        { grant_type: 'client_credentials' },
        { Authorization: value },
      );
      expect([400, 401]).toContain(status);
      expect(body['error']).toMatch(/^invalid_(request|client)$/);
    },
  );

  test('client_secret_basic and client_secret_post both work', async () => {
    const { service } = site.made.apps;
    const inHeader = await tokenRequest(
      site,
      { grant_type: 'client_credentials', scope: 'prompts:read' },
      basic(service.clientId, service.clientSecret),
    );
    expect(inHeader.status).toBe(200);
    expect((await tokenRequest(site, serviceForm({ scope: 'prompts:read' }))).status).toBe(200);
  });
});

describe('RFC 6749 §5.2: grant types', () => {
  test('unauthorized_client for one that the app is not registered for', async () => {
    const { web, service } = site.made.apps;
    await expectError('400 unauthorized_client', { grant_type: 'client_credentials', ...credentialsOf(web) });
    await expectError('400 unauthorized_client', {
      grant_type: 'client_credentials',
      client_id: site.made.apps.spa.clientId,
    });
    await expectError('400 unauthorized_client', {
      grant_type: 'authorization_code',
      ...credentialsOf(service),
      code: 'x',
      redirect_uri: 'http://localhost:8080/callback',
    });
    await expectError('400 unauthorized_client', {
      grant_type: 'refresh_token',
      ...credentialsOf(service),
      refresh_token: 'x',
    });
  });

  test.each([
    'password',
    'implicit',
    'CLIENT_CREDENTIALS',
    '__proto__',
    'constructor',
    'client_credentials ',
  ])('unsupported_grant_type for "%s"', async (grantType) => {
    await expectError('400 unsupported_grant_type', serviceForm({ grant_type: grantType }));
  });

  test('invalid_request without a grant type, and with an empty one', async () => {
    await expectError('400 invalid_request', credentialsOf(site.made.apps.service));
    await expectError('400 invalid_request', serviceForm({ grant_type: '' }));
  });
});

describe('RFC 6749 §5.2: invalid_scope', () => {
  test.each(['prompts:delete', 'prompts:read nonsense', 'openid', 'offline_access', 'Prompts:read', '*'])(
    'client credentials with "%s"',
    async (scope) => {
      await expectError('400 invalid_scope', serviceForm({ scope }));
    },
  );

  test('client credentials with a scope that the app is not registered for, with `resource` as without', async () => {
    const form = { grant_type: 'client_credentials', ...credentialsOf(site.extra.narrowService) };
    const resources = [site.server.url, `${site.server.url}/v1`, `${site.server.url}/v1/prompts`];
    for (const scope of ['prompts:write', 'prompts:read prompts:write', 'organization:admin', 'openid']) {
      await expectError('400 invalid_scope', { ...form, scope });
      for (const resource of resources) await expectError('400 invalid_scope', { ...form, scope, resource });
    }
  });

  test('§3.3: client credentials without a scope get what the app is registered for, and are told so', async () => {
    const form = { grant_type: 'client_credentials', ...credentialsOf(site.extra.narrowService) };
    for (const resource of [undefined, `${site.server.url}/v1`]) {
      const { body } = await tokenRequest(site, { ...form, ...(resource ? { resource } : {}) });
      expect(body['scope']).toBe('prompts:read');
      expect(claimsOf(String(body['access_token']))['scope']).toBe('prompts:read');
    }
    const { body } = await tokenRequest(site, serviceForm());
    expect(body['scope']).toBe(ALL_SCOPES.join(' '));
  });

  test('RFC 8707: a resource of somebody else is invalid_target', async () => {
    for (const resource of ['https://evil.example', `${site.server.url}.evil.example/v1`, 'nonsense', '']) {
      const { status, body } = await tokenRequest(site, serviceForm({ scope: 'prompts:read', resource }));
      if (resource === '' && status === 200) continue; // RFC 6749 §3.1: without a value is left out
      expect(`${status} ${body['error']}`).toBe('400 invalid_target');
    }
  });
});

describe('RFC 6749 §4.1.3, §5.2: invalid_grant for a code', () => {
  test('that is unknown', async () => {
    const { redemption } = await getCode(site);
    await expectError('400 invalid_grant', { ...redemption, code: 'x'.repeat(43) });
    await expectError('400 invalid_grant', { ...redemption, code: `${redemption['code']}x` });
  });

  test('of another client, and the code stays good for its own', async () => {
    const { redemption } = await getCode(site);
    await expectError('400 invalid_grant', { ...redemption, ...credentialsOf(site.extra.other) });
    expect((await tokenRequest(site, redemption)).status).toBe(200);
  });

  test('with another redirect_uri, even one that is registered', async () => {
    const { redemption } = await getCode(site);
    for (const uri of [
      'http://127.0.0.1:8080/callback',
      'http://localhost:8080/callback/',
      'https://evil.example',
    ]) {
      await expectError('400 invalid_grant', { ...redemption, redirect_uri: uri });
    }
  });

  test('that was spent', async () => {
    const { redemption } = await getCode(site);
    expect((await tokenRequest(site, redemption)).status).toBe(200);
    await expectError('400 invalid_grant', redemption);
  });

  test('that is a refresh token, and the other way round', async () => {
    const tokens = await getTokens(site);
    const { redemption } = await getCode(site);
    await expectError('400 invalid_grant', { ...redemption, code: tokens.refresh_token ?? '' });
    await expectError('400 invalid_grant', refreshForm(site.made.apps.web, redemption['code']));
  });

  test('invalid_request without a code or without its redirect_uri', async () => {
    const { redemption } = await getCode(site);
    const { code: _, ...withoutCode } = redemption;
    const { redirect_uri: __, ...withoutUri } = redemption;
    await expectError('400 invalid_request', withoutCode);
    await expectError('400 invalid_request', withoutUri);
  });
});

describe('RFC 6749 §6: refresh', () => {
  test('invalid_grant for an unknown token, an access token, and the token of another client', async () => {
    const { web } = site.made.apps;
    const tokens = await getTokens(site);
    await expectError('400 invalid_grant', refreshForm(web, `rt_${'x'.repeat(36)}`));
    await expectError('400 invalid_grant', refreshForm(web, tokens.access_token));
    await expectError('400 invalid_grant', refreshForm(site.extra.other, tokens.refresh_token));
    expect((await tokenRequest(site, refreshForm(web, tokens.refresh_token))).status).toBe(200);
  });

  test('a narrower scope narrows this access token; the family keeps its full scope', async () => {
    const { web } = site.made.apps;
    const first = await getTokens(site, { params: { scope: 'prompts:read reports:read' } });
    const narrow = await tokenRequest(site, refreshForm(web, first.refresh_token, 'prompts:read'));
    expect(narrow.body['scope']).toBe('prompts:read');
    expect(claimsOf(String(narrow.body['access_token']))['scope']).toBe('prompts:read');
    expect((await me(site, String(narrow.body['access_token']))).body['scopes']).toEqual(['prompts:read']);
    const full = await tokenRequest(site, refreshForm(web, String(narrow.body['refresh_token'])));
    expect(full.body['scope']).toBe('prompts:read reports:read');
    expect(claimsOf(String(full.body['access_token']))['scope']).toBe('prompts:read reports:read');
  });

  test('a scope that was not granted is invalid_scope, and the token is not spent by it', async () => {
    const { web } = site.made.apps;
    const tokens = await getTokens(site, { params: { scope: 'prompts:read reports:read' } });
    for (const scope of ['prompts:read prompts:write', 'organization:admin', 'openid', 'nonsense']) {
      await expectError('400 invalid_scope', refreshForm(web, tokens.refresh_token, scope));
    }
    expect((await tokenRequest(site, refreshForm(web, tokens.refresh_token))).status).toBe(200);
  });

  test('a scope that was unticked at consent can not be had by refreshing', async () => {
    const { other } = site.extra;
    const tokens = await getTokens(site, {
      client: other,
      params: { scope: 'prompts:read prompts:write' },
      answer: { scopes: ['prompts:read'] },
    });
    expect(tokens.scope).toBe('prompts:read');
    await expectError('400 invalid_scope', refreshForm(other, tokens.refresh_token, 'prompts:write'));
    const { body } = await tokenRequest(site, refreshForm(other, tokens.refresh_token));
    expect(body['scope']).toBe('prompts:read');
  });
});

describe('RFC 6749 §5.1: the answer', () => {
  test('has the members that the contract lists, and no-store', async () => {
    const { redemption } = await getCode(site);
    const { status, headers, body } = await tokenRequest(site, redemption);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^rt_[0-9A-Za-z]{36}$/),
      scope: 'prompts:read prompts:write reports:read',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.getSetCookie()).toEqual([]);
  });

  test('to client credentials has no refresh token', async () => {
    const { body } = await tokenRequest(site, serviceForm({ scope: 'prompts:read' }));
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'prompts:read',
    });
  });

  test('is JSON whatever Accept says', async () => {
    const browser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    await expectError('401 invalid_client', { ...serviceForm(), client_id: 'app_unknown' }, browser);
    const { status, headers } = await tokenRequest(site, serviceForm(), browser);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });
});

describe('Contract §2: the claims of an access token', () => {
  const names = ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'org_id', 'scope', 'sub'];
  const header = (jwt: string) =>
    JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as unknown;

  test('of a person', async () => {
    const { access_token: token } = await getTokens(site);
    const claims = claimsOf(token);
    expect(Object.keys(claims).sort()).toEqual(names);
    expect(claims).toMatchObject({
      iss: site.server.url,
      sub: site.made.user.id,
      aud: site.made.apps.web.clientId,
      client_id: site.made.apps.web.clientId,
      org_id: site.made.organization.id,
      scope: 'prompts:read prompts:write reports:read',
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(3600);
    expect(header(token)).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
  });

  test('of client credentials: the client is the subject', async () => {
    const { service } = site.made.apps;
    const { body } = await tokenRequest(site, serviceForm({ scope: 'prompts:read' }));
    const claims = claimsOf(String(body['access_token']));
    expect(Object.keys(claims).sort()).toEqual(names);
    expect(claims).toMatchObject({
      sub: service.clientId,
      aud: service.clientId,
      client_id: service.clientId,
      org_id: site.made.organization.id,
      scope: 'prompts:read',
    });
  });

  test('a sandbox app adds env: "test", by either grant and after a refresh, and sees the sandbox', async () => {
    const { sandbox, sandboxService } = site.extra;
    const tokens = await getTokens(site, { client: sandbox });
    const refreshed = await tokenRequest(site, refreshForm(sandbox, tokens.refresh_token));
    const own = await tokenRequest(site, {
      grant_type: 'client_credentials',
      ...credentialsOf(sandboxService),
    });
    const issued = [
      tokens.access_token,
      String(refreshed.body['access_token']),
      String(own.body['access_token']),
    ];
    for (const token of issued) {
      const claims = claimsOf(token);
      expect(Object.keys(claims).sort()).toEqual([...names, 'env'].sort());
      expect(claims['env']).toBe('test');
      expect((await me(site, token)).body['environment']).toBe('test');
    }
  });

  test('every token has its own jti', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 5 }, () => tokenRequest(site, serviceForm({ scope: 'prompts:read' }))),
    );
    const ids = tokens.map(({ body }) => claimsOf(String(body['access_token']))['jti']);
    expect(new Set(ids).size).toBe(5);
  });
});

describe('RFC 6749 §3.2: the request', () => {
  const post = (body: string, headers: Record<string, string>) =>
    fetch(new URL('/oauth/token', site.server.url), { method: 'POST', body, headers });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/xml'])(
    'a body of %s is refused as invalid_request',
    async (type) => {
      const response = await post(JSON.stringify(serviceForm()), { 'Content-Type': type });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
      expect(response.headers.get('cache-control')).toBe('no-store');
    },
  );

  test('a form that is called JSON, and JSON that is called a form, are refused', async () => {
    const form = new URLSearchParams(serviceForm()).toString();
    expect((await post(form, { 'Content-Type': 'application/json' })).status).toBe(400);
    const json = await post(JSON.stringify(serviceForm()), {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect(json.status).toBe(400);
  });

  test('parameters in the query are not read', async () => {
    const query = new URLSearchParams(serviceForm({ scope: 'prompts:read' })).toString();
    const response = await fetch(new URL(`/oauth/token?${query}`, site.server.url), { method: 'POST' });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('access_token');
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('%s is refused', async (method) => {
    const query = method === 'GET' ? `?${new URLSearchParams(serviceForm()).toString()}` : '';
    const response = await fetch(new URL(`/oauth/token${query}`, site.server.url), { method });
    expect([404, 405]).toContain(response.status);
    expect(await response.text()).not.toContain('access_token');
  });

  test.each(['grant_type', 'client_id', 'client_secret', 'code', 'redirect_uri', 'code_verifier'])(
    '%s sent twice is invalid_request',
    async (name) => {
      const { redemption } = await getCode(site);
      const form = new URLSearchParams(redemption);
      form.append(name, redemption[name] ?? '');
      const response = await post(form.toString(), { 'Content-Type': 'application/x-www-form-urlencoded' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    },
  );

  test('scope and refresh_token sent twice are invalid_request', async () => {
    const tokens = await getTokens(site);
    for (const name of ['scope', 'refresh_token']) {
      const form = new URLSearchParams(refreshForm(site.made.apps.web, tokens.refresh_token, 'prompts:read'));
      form.append(name, form.get(name) ?? '');
      const response = await post(form.toString(), { 'Content-Type': 'application/x-www-form-urlencoded' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    }
  });

  test('unknown parameters are left aside (§3.2), client-written claims among them', async () => {
    const { status, body } = await tokenRequest(
      site,
      serviceForm({
        scope: 'prompts:read',
        org_id: 'org_evil',
        sub: 'usr_evil',
        aud: 'evil',
        env: 'test',
        exp: '9999999999',
      }),
    );
    expect(status).toBe(200);
    expect(claimsOf(String(body['access_token']))).toMatchObject({
      sub: site.made.apps.service.clientId,
      org_id: site.made.organization.id,
    });
    expect(claimsOf(String(body['access_token']))).not.toHaveProperty('env');
  });
});

describe('RFC 8414 and RFC 7517: what is published', () => {
  test('the JWKS holds public members only', async () => {
    const response = await fetch(new URL('/.well-known/jwks.json', site.server.url));
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(keys.length).toBeGreaterThan(0);
    const members: Record<string, string[]> = { RSA: ['e', 'n'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] };
    for (const key of keys) {
      const own = members[String(key['kty'])] ?? [];
      expect(Object.keys(key).sort()).toEqual(['alg', 'kid', 'kty', 'use', ...own].sort());
    }
    expect(response.headers.get('cache-control')).toMatch(/public, max-age=\d+/);
  });

  test('both metadata documents say the same, and nothing that does not exist', async () => {
    const [openid, oauth] = await Promise.all(
      ['openid-configuration', 'oauth-authorization-server'].map(async (name) => {
        const response = await fetch(new URL(`/.well-known/${name}`, site.server.url));
        return (await response.json()) as Record<string, unknown>;
      }),
    );
    expect(openid).toEqual(oauth);
    expect(oauth).toMatchObject({
      issuer: site.server.url,
      authorization_endpoint: `${site.server.url}/oauth/authorize`,
      token_endpoint: `${site.server.url}/oauth/token`,
      jwks_uri: `${site.server.url}/.well-known/jwks.json`,
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
    });
    expect(oauth?.['grant_types_supported']).not.toContain('implicit');
    const endpoints = Object.entries(oauth ?? {}).filter(([name]) => /_endpoint$|_uri$/.test(name));
    for (const [name, endpoint] of endpoints) {
      const statuses = await Promise.all(
        ['GET', 'POST'].map(async (method) => {
          const response = await fetch(String(endpoint), { method });
          await response.body?.cancel();
          return response.status;
        }),
      );
      expect(`${name} ${statuses.every((status) => status === 404)}`).toBe(`${name} false`);
      expect(Math.max(...statuses)).toBeLessThan(500);
    }
  });
});
