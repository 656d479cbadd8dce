import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { authorize, type Site } from '../support/site.ts';
import { API, fetchThroughProxy, startProductionSite, WEB } from '../support/tls-proxy.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('In production, with two origins behind a TLS proxy', () => {
  let site: Site;
  let throughProxy: typeof fetch;

  beforeAll(async () => {
    site = await startProductionSite();
    throughProxy = fetchThroughProxy(site.server.port);
  }, 60_000);

  afterAll(() => site.stop());

  test('discovery names each endpoint on its own origin, whatever Host or X-Forwarded-Host says', async () => {
    const attempts: Record<string, string>[] = [
      {},
      { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' },
    ];
    for (const headers of attempts) {
      const response = await fetchThroughProxy(
        site.server.port,
        headers,
      )(`${API}/.well-known/openid-configuration`);
      expect(await response.json()).toMatchObject({
        issuer: API,
        authorization_endpoint: `${WEB}/oauth/authorize`,
        token_endpoint: `${API}/oauth/token`,
        jwks_uri: `${API}/.well-known/jwks.json`,
      });
    }
  });

  test('a path on the wrong origin is 404, another host is 400', async () => {
    const status = async (url: string) => (await throughProxy(url)).status;
    expect(await status(`${WEB}/v1/me`)).toBe(404);
    expect(await status(`${WEB}/oauth/token`)).toBe(404);
    expect(await status(`${WEB}/.well-known/jwks.json`)).toBe(404);
    expect(await status(`${API}/oauth/authorize`)).toBe(404);
    expect(await status(`${API}/login`)).toBe(404);
    expect(await status('https://evil.example/login')).toBe(400);
  });

  test('plain HTTP is refused at the API and redirected at the pages', async () => {
    const plain = await throughProxy(`${API.replace('https', 'http')}/v1/me`, {
      headers: { Authorization: `Bearer ${site.made.apiKeys.live}` },
    });
    expect(plain.status).toBe(403);
    expect(await plain.json()).toMatchObject({ code: 'https_required' });
    const page = await throughProxy(`${WEB.replace('https', 'http')}/login`);
    expect(page.status).toBe(308);
    expect(page.headers.get('location')).toBe(`${WEB}/login`);
    expect((await throughProxy(`${WEB}/login`)).headers.get('strict-transport-security')).toMatch(
      /^max-age=\d+/,
    );
  });

  test('openid-client gets a token over both origins; every cookie is Secure, HttpOnly and prefixed', async () => {
    const { web } = site.made.apps;
    const config = await client.discovery(
      new URL(API),
      web.clientId,
      undefined,
      client.ClientSecretBasic(web.clientSecret),
      {
        [client.customFetch]: throughProxy as client.CustomFetch,
      },
    );
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: web.redirectUris[0] as string,
      scope: 'prompts:read',
      state: 's',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const cookies: string[] = [];
    const userAgent = createUserAgent(WEB, async (input, init) => {
      const response = await throughProxy(input, init);
      cookies.push(...response.headers.getSetCookie());
      return response;
    });
    const callback = await authorize({ made: site.made, userAgent }, url.href);
    const tokens = await client.authorizationCodeGrant(config, callback, {
      pkceCodeVerifier: verifier,
      expectedState: 's',
    });
    expect(tokens.scope).toBe('prompts:read');
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies)
      expect(cookie).toMatch(
        /^__(Host|Secure)-[^;]+;.*secure.*httponly|^__(Host|Secure)-[^;]+;.*httponly.*secure/i,
      );

    const me = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      new URL(`${API}/v1/me`),
      'GET',
    );
    expect(await me.json()).toMatchObject({ method: 'oauth_user', userId: site.made.user.id });
  }, 30_000);
});
