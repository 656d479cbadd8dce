import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimsOf, type Site, startSite } from '../support/site.ts';
import { getTokens } from './support.ts';

describe('Userinfo', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, 60_000);
  afterAll(() => site.stop());

  const ask = async (init: RequestInit = {}, query = '') => {
    const response = await fetch(new URL(`/oauth/userinfo${query}`, site.server.url), init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  const tokenFor = async (scope: string, more: Record<string, string> = {}) =>
    getTokens(site, { params: { scope, ...more } });

  test('OpenID Connect Core §5.3: a token for openid and API scopes tells who the person is, as the id_token does', async () => {
    const { access_token, id_token } = await tokenFor('openid profile email prompts:read');
    const { status, headers, body } = await ask(bearer(access_token));
    expect(status).toBe(200);
    expect(body).toEqual({
      sub: site.made.user.id,
      name: 'Demo Owner',
      email: site.made.user.email,
      email_verified: true,
    });
    expect(claimsOf(id_token ?? '')).toMatchObject({ sub: body['sub'] });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toContain('application/json');
  });

  test('OpenID Connect Core §5.4: claims of scopes that were not asked for are left out', async () => {
    const { access_token } = await tokenFor('openid prompts:read');
    expect((await ask(bearer(access_token))).body).toEqual({ sub: site.made.user.id });
    const mail = await tokenFor('openid email');
    expect(Object.keys((await ask(bearer(mail.access_token))).body)).toEqual([
      'sub',
      'email',
      'email_verified',
    ]);
  });

  test('RFC 8707: also when the token is for a resource', async () => {
    const { access_token } = await tokenFor('openid prompts:read', { resource: `${site.server.url}/v1` });
    expect((await ask(bearer(access_token))).status).toBe(200);
  });

  test('OpenID Connect Core §5.3.1: POST, with the token in the header or in a form', async () => {
    const { access_token } = await tokenFor('openid prompts:read');
    expect((await ask({ method: 'POST', ...bearer(access_token) })).status).toBe(200);
    const form = { method: 'POST', body: new URLSearchParams({ access_token }) };
    expect((await ask(form)).status).toBe(200);
    const both = await ask({ ...form, ...bearer(access_token) });
    expect(both).toMatchObject({ status: 400, body: { code: 'multiple_credentials' } });
    expect((await ask({}, `?access_token=${access_token}`)).status).toBe(400);
  });

  test('RFC 6750 §3.1: without openid 403 insufficient_scope, without a token a bare challenge, with a bad one invalid_token', async () => {
    const { access_token } = await tokenFor('prompts:read');
    const refused = await ask(bearer(access_token));
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="openid"/);
    const none = await ask();
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toMatch(/^Bearer (?!.*error=)/);
    const bad = await ask(bearer('eyJhbGciOiJub25lIn0.e30.'));
    expect(bad.status).toBe(401);
    expect(bad.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('API keys, apps that act for themselves and id_tokens tell of nobody', async () => {
    expect((await ask(bearer(site.made.apiKeys.live))).status).toBe(403);
    const { id_token } = await tokenFor('openid prompts:read');
    expect((await ask(bearer(id_token ?? ''))).status).toBe(401);
  });

  test('a page of another origin may ask', async () => {
    const preflight = await ask({ method: 'OPTIONS', headers: { Origin: 'https://app.example' } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
    const { access_token } = await tokenFor('openid prompts:read');
    expect((await ask(bearer(access_token))).headers.get('access-control-allow-origin')).toBe('*');
  });

  test('other methods are refused', async () => {
    const { status, headers } = await ask({ method: 'DELETE' });
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'GET, POST, OPTIONS' });
  });
});
