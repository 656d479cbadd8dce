import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { claimsOf } from '../support/site.ts';
import type { UserAgent } from '../support/user-agent.ts';
import { atApp, CALLBACK, isWhole, startWorld, type World } from './world.ts';

/** OpenID Foundation, OpenID Connect Core: Basic certification profile. One test a module, under the module's name. */
describe('oidcc-basic-certification-test-plan', () => {
  let world: World;
  let rp: client.Configuration;

  beforeAll(async () => {
    world = await startWorld();
    rp = await world.configure(world.apps.basic);
  }, 60_000);
  afterAll(() => world?.stop());

  const request = (params: Record<string, string> = {}) =>
    client.buildAuthorizationUrl(rp, {
      redirect_uri: CALLBACK,
      scope: 'openid',
      state: 'the-state',
      nonce: 'the-nonce',
      response_type: 'code',
      ...params,
    });
  const redeem = (callback: URL, nonce: string | null = 'the-nonce', config = rp) =>
    client.authorizationCodeGrant(config, callback, {
      expectedState: 'the-state',
      ...(nonce === null ? {} : { expectedNonce: nonce }),
      idTokenExpected: true,
    });
  /** A whole flow; openid-client checks state, iss, and all of the ID token. */
  const flow = async (params: Record<string, string> = {}, browser?: UserAgent) =>
    redeem(atApp(await world.visit(request(params), browser ? { browser } : {})));
  const userinfo = (tokens: { access_token: string }, subject: string, options?: RequestInit) =>
    options === undefined
      ? client.fetchUserInfo(rp, tokens.access_token, subject)
      : fetch(`${world.issuer}/oauth/userinfo`, options).then((answer) => answer.json());
  const subjectOf = (tokens: Awaited<ReturnType<typeof flow>>) => tokens.claims()?.sub ?? '';

  test('oidcc-server', async () => {
    const tokens = await flow();
    const idToken = tokens.id_token ?? '';
    const keys = createRemoteJWKSet(new URL(rp.serverMetadata().jwks_uri ?? ''));
    const { payload } = await jwtVerify(idToken, keys, {
      issuer: world.issuer,
      audience: world.apps.basic.clientId,
    });
    expect(decodeProtectedHeader(idToken)).toMatchObject({ alg: 'RS256', kid: expect.any(String) });
    expect(payload).toMatchObject({
      sub: world.site.made.user.id,
      nonce: 'the-nonce',
      iat: expect.any(Number),
    });
    expect(payload.sub).toMatch(/^[\x20-\x7e]{1,255}$/);
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
    const atHash = payload['at_hash'] ?? hashOf(tokens.access_token);
    expect(atHash).toBe(hashOf(tokens.access_token)); // Core §3.1.3.6: where it is, it is right
  });

  test('oidcc-server (the code, and the answer of the token endpoint)', async () => {
    const callback = atApp(await world.visit(request()));
    const code = callback.searchParams.get('code') ?? '';
    expect(code).toMatch(/^[\x21-\x7e]{22,}$/); // 128 bits at least (RFC 6749 §10.10)
    expect([...callback.searchParams.keys()].sort()).toEqual(['code', 'iss', 'state']);
    const { clientId, clientSecret } = world.apps.basic;
    const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK };
    const answer = await fetch(`${world.issuer}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toContain('no-store');
    const tokens = (await answer.json()) as Record<string, unknown>;
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, id_token: expect.any(String) });
    expect(String(tokens['access_token'])).toMatch(/^[\w.~+/=-]{22,}$/);
    expect(String(tokens['refresh_token'])).toMatch(/^[\x20-\x7e]{22,}$/);
  });

  test('oidcc-response-type-missing', async () => {
    const url = request();
    url.searchParams.delete('response_type');
    const { callback, status } = await world.visit(url);
    expect(['invalid_request', 400]).toContain(callback?.searchParams.get('error') ?? status);
  });

  test('oidcc-idtoken-signature', async () => {
    const { keys } = (await (await fetch(rp.serverMetadata().jwks_uri ?? '')).json()) as {
      keys: { kid: string }[];
    };
    const { kid } = decodeProtectedHeader((await flow()).id_token ?? '');
    const key = keys.find((candidate) => candidate.kid === kid);
    expect(key).toBeDefined();
    expect(await calculateJwkThumbprint(key as object)).toBe(kid);
  });

  test('oidcc-userinfo-get', async () => {
    const tokens = await flow();
    expect(await userinfo(tokens, subjectOf(tokens))).toEqual({ sub: subjectOf(tokens) });
  });

  test('oidcc-userinfo-post-header', async () => {
    const tokens = await flow();
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    expect(await userinfo(tokens, '', { method: 'POST', headers })).toEqual({ sub: subjectOf(tokens) });
  });

  test('oidcc-userinfo-post-body', async () => {
    const tokens = await flow();
    const body = new URLSearchParams({ access_token: tokens.access_token });
    expect(await userinfo(tokens, '', { method: 'POST', body })).toEqual({ sub: subjectOf(tokens) });
  });

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const url = request();
    url.searchParams.delete('nonce');
    const tokens = await redeem(atApp(await world.visit(url)), null);
    expect(tokens.claims()).not.toHaveProperty('nonce');
  });

  test('oidcc-scope-profile', async () => {
    const tokens = await flow({ scope: 'openid profile', prompt: 'consent' });
    expect(await userinfo(tokens, subjectOf(tokens))).toEqual({ sub: subjectOf(tokens), name: 'Demo Owner' });
  });

  test('oidcc-scope-email', async () => {
    const tokens = await flow({ scope: 'openid email', prompt: 'consent' });
    expect(await userinfo(tokens, subjectOf(tokens))).toEqual({
      sub: subjectOf(tokens),
      email: world.site.made.user.email,
      email_verified: true,
    });
  });

  // The modules for address and phone are left out where the server doesn't name the scope: it must not, then.
  test.each(['address', 'phone'])('oidcc-scope-%s', async (scope) => {
    expect(rp.serverMetadata().scopes_supported).not.toContain(scope);
    const callback = atApp(await world.visit(request({ scope: `openid ${scope}` })));
    expect(callback.searchParams.get('error')).toBe('invalid_scope');
  });

  test('oidcc-scope-all', async () => {
    const tokens = await flow({ scope: 'openid profile email', prompt: 'consent' });
    expect(Object.keys((await userinfo(tokens, subjectOf(tokens))) as object).sort()).toEqual([
      'email',
      'email_verified',
      'name',
      'sub',
    ]);
  });

  test('oidcc-alternate-happy-flow', async () => {
    const url = request({ scope: 'email openid' });
    url.search = new URLSearchParams([...url.searchParams].reverse()).toString();
    const tokens = await redeem(atApp(await world.visit(url)));
    expect(tokens.claims()?.sub).toBe(world.site.made.user.id);
  });

  // Left out where the server doesn't say that it gives unsigned ID tokens: it doesn't, then.
  test('oidcc-idtoken-unsigned', async () => {
    expect(rp.serverMetadata().id_token_signing_alg_values_supported).not.toContain('none');
    expect(decodeProtectedHeader((await flow()).id_token ?? '').alg).not.toBe('none');
  });

  test.each(['page', 'popup'])('oidcc-display-%s', async (display) => {
    expect((await flow({ display })).id_token).toBeTruthy();
  });

  test('oidcc-prompt-login', async () => {
    const browser = world.newBrowser();
    const first = await flow({ max_age: '3600' }, browser);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // auth_time counts seconds
    const visit = await world.visit(request({ prompt: 'login', max_age: '3600' }), { browser });
    expect(visit.signedIn).toBe(true);
    const second = await redeem(atApp(visit));
    expect(second.claims()?.auth_time).toBeGreaterThan(first.claims()?.auth_time as number);
    expect(subjectOf(second)).toBe(subjectOf(first));
  });

  test('oidcc-prompt-none-not-logged-in', async () => {
    const callback = atApp(await world.visit(request({ prompt: 'none' })));
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      error: 'login_required',
      state: 'the-state',
    });
    expect(callback.searchParams.has('code')).toBe(false);
  });

  test('oidcc-prompt-none-logged-in', async () => {
    const browser = world.newBrowser();
    const first = await flow({ max_age: '3600' }, browser);
    const visit = await world.visit(request({ prompt: 'none', max_age: '3600' }), { browser });
    expect(visit.signedIn).toBe(false);
    const second = await redeem(atApp(visit));
    expect(second.claims()).toMatchObject({ sub: subjectOf(first), auth_time: first.claims()?.auth_time });
  });

  test('oidcc-max-age-1', async () => {
    const browser = world.newBrowser();
    const first = await flow({ max_age: '3600' }, browser);
    await new Promise((resolve) => setTimeout(resolve, 2_100)); // the age itself is under test
    const visit = await world.visit(request({ max_age: '1' }), { browser });
    expect(visit.signedIn).toBe(true);
    expect((await redeem(atApp(visit))).claims()?.auth_time).toBeGreaterThan(
      first.claims()?.auth_time as number,
    );
  });

  test('oidcc-max-age-10000', async () => {
    const browser = world.newBrowser();
    const first = await flow({ max_age: '10000' }, browser);
    const visit = await world.visit(request({ max_age: '10000' }), { browser });
    expect(visit.signedIn).toBe(false);
    expect((await redeem(atApp(visit))).claims()?.auth_time).toBe(first.claims()?.auth_time);
  });

  test('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    expect((await flow({ extra: 'foobar' })).id_token).toBeTruthy();
  });

  test('oidcc-id-token-hint', async () => {
    const browser = world.newBrowser();
    const first = await flow({}, browser);
    const hint = { prompt: 'none', id_token_hint: first.id_token ?? '' };
    expect(subjectOf(await flow(hint, browser))).toBe(subjectOf(first));
  });

  test('oidcc-login-hint', async () => {
    const browser = world.newBrowser();
    const page = await browser.open(request({ login_hint: 'somebody@example.com' }).href);
    expect(page.html).toContain('value="somebody@example.com"');
    expect((await flow({ login_hint: 'somebody@example.com' })).id_token).toBeTruthy();
  });

  test('oidcc-ui-locales', async () => {
    expect((await flow({ ui_locales: 'se' })).id_token).toBeTruthy();
  });

  test('oidcc-claims-locales', async () => {
    expect((await flow({ claims_locales: 'se' })).id_token).toBeTruthy();
  });

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    expect((await flow({ acr_values: '1 2' })).id_token).toBeTruthy();
  });

  test('oidcc-codereuse', async () => {
    const callback = atApp(await world.visit(request()));
    const tokens = await redeem(callback);
    await expect(redeem(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
    const answer = await fetch(`${world.issuer}/oauth/userinfo`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    });
    expect(answer.status).toBe(401); // RFC 6749 §4.1.2: what the code gave is revoked
  });

  test('oidcc-codereuse-30seconds', async () => {
    const callback = atApp(await world.visit(request()));
    await redeem(callback);
    await new Promise((resolve) => setTimeout(resolve, isWhole ? 31_000 : 1_000));
    await expect(redeem(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  }, 60_000);

  test('oidcc-ensure-registered-redirect-uri', async () => {
    const { callback, status } = await world.visit(request({ redirect_uri: 'https://rp.example/other' }));
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });
  });

  test('oidcc-ensure-post-request-succeeds', async () => {
    const url = request();
    const answer = await fetch(url.origin + url.pathname, {
      method: 'POST',
      body: url.searchParams,
      redirect: 'manual',
    });
    const visit = await world.visit(new URL(answer.headers.get('location') ?? '', url));
    expect((await redeem(atApp(visit))).id_token).toBeTruthy();
  });

  test('oidcc-server-client-secret-post', async () => {
    const { basic } = world.apps;
    const config = await world.configure(basic, client.ClientSecretPost(basic.clientSecret));
    expect((await redeem(atApp(await world.visit(request())), 'the-nonce', config)).id_token).toBeTruthy();
  });

  test('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async () => {
    const url = request({ request_uri: 'https://rp.example/request.jwt' });
    const { callback, status, html } = await world.visit(url);
    expect(callback?.searchParams.get('error') ?? html).toContain('request_uri_not_supported');
    if (!callback) expect(status).toBe(400);
  });

  test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    const jwt = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${btoa('{"state":"inside"}').replaceAll('=', '')}.`;
    const { callback, html } = await world.visit(request({ request: jwt }));
    expect(callback?.searchParams.get('error') ?? html).toContain('request_not_supported');
  });

  test('oidcc-claims-essential', async () => {
    expect(rp.serverMetadata()['claims_parameter_supported']).toBe(false);
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    expect((await flow({ claims })).id_token).toBeTruthy(); // §5.5: not understood, and so ignored
  });

  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const jwt = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${btoa(JSON.stringify({ redirect_uri: 'https://evil.example/' })).replaceAll('=', '')}.`;
    const { callback } = await world.visit(request({ request: jwt }));
    expect(callback?.host ?? 'rp.example').toBe('rp.example');
    expect(callback?.searchParams.has('code') ?? false).toBe(false);
  });

  test('oidcc-refresh-token', async () => {
    const tokens = await flow();
    const refreshed = await client.refreshTokenGrant(rp, tokens.refresh_token ?? '');
    expect(refreshed).toMatchObject({ token_type: 'bearer', access_token: expect.any(String) });
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    if (refreshed.id_token) {
      const [before, after] = [claimsOf(tokens.id_token ?? ''), claimsOf(refreshed.id_token)];
      expect(after).toMatchObject({ iss: before['iss'], sub: before['sub'], aud: before['aud'] });
    }
    const second = await world.configure(world.apps.second);
    await expect(client.refreshTokenGrant(second, refreshed.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const verifier = client.randomPKCECodeVerifier();
    const challenge = await client.calculatePKCECodeChallenge(verifier);
    const url = request({ code_challenge: challenge, code_challenge_method: 'S256' });
    const tokens = await client.authorizationCodeGrant(rp, atApp(await world.visit(url)), {
      expectedState: 'the-state',
      expectedNonce: 'the-nonce',
      pkceCodeVerifier: verifier,
    });
    expect(tokens.id_token).toBeTruthy();
  });
});

/** The left half of the hash of the signature's algorithm, which is RS256. */
const hashOf = (token: string): string =>
  hash('sha256', token, 'buffer').subarray(0, 16).toString('base64url');
