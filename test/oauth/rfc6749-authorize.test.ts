import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, claimsOf, pkce } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { askedScopes, callbackOf, getCode, getTokens, tokenRequest, walk } from './support.ts';

let site: PreparedSite<{ narrow: Client }>;
let signedIn: UserAgent;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services, made) => ({
    narrow: await addApp(services, made, { scopes: ['prompts:read', 'reports:read'] }),
  }));
  signedIn = createUserAgent(site.server.url);
  await getCode(site, { agent: signedIn });
}, 120_000);

afterAll(() => site?.stop());

const url = (params: Record<string, string | undefined> = {}) =>
  authorizationUrl(site, pkce().challenge, params);

/** The error that the app is told of; the browser of somebody who is signed in and has allowed the app. */
async function errorOf(
  params: Record<string, string | undefined>,
  agent = signedIn,
): Promise<Record<string, string>> {
  const { leftTo } = await agent.open(url(params));
  if (!leftTo) throw new Error('not sent back to the app');
  expect(leftTo.origin + leftTo.pathname).toBe('http://localhost:8080/callback');
  return Object.fromEntries(leftTo.hash ? new URLSearchParams(leftTo.hash.slice(1)) : leftTo.searchParams);
}

describe('RFC 6749 §4.1.2.1: an error is told to the app, with its state and (RFC 9207) our iss', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['unsupported_response_type', { response_type: 'token' }],
    ['unsupported_response_type', { response_type: 'id_token' }],
    ['unsupported_response_type', { response_type: 'code token' }],
    ['unsupported_response_type', { response_type: 'code id_token' }],
    ['unsupported_response_type', { response_type: 'code code' }],
    ['unsupported_response_type', { response_type: 'none' }],
    ['unsupported_response_type', { response_type: 'CODE' }],
    ['invalid_request', { response_type: undefined }],
    ['invalid_scope', { scope: 'prompts:read prompts:delete' }],
    ['invalid_scope', { scope: 'prompts:read offline_access' }],
    ['invalid_scope', { scope: 'PROMPTS:READ' }],
    ['invalid_scope', { scope: 'prompts:read\treports:read' }],
    ['invalid_scope', { scope: 'prompts:read "reports:read"' }],
    ['invalid_scope', { scope: '__proto__' }],
    ['invalid_request', { prompt: 'none login' }],
    ['invalid_request', { prompt: 'create' }],
    ['invalid_request', { scope: 'openid', max_age: '-1' }],
    ['invalid_request', { scope: 'openid', max_age: 'soon' }],
    ['invalid_target', { resource: 'https://evil.example/' }],
    ['invalid_target', { resource: 'not a URI' }],
    ['request_not_supported', { request: 'e30.e30.' }],
    ['invalid_request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
    ['request_uri_not_supported', { request_uri: 'https://evil.example/request' }],
    ['registration_not_supported', { registration: '{}' }],
  ])('%s for %j', async (error, params) => {
    const answer = await errorOf(params);
    expect(answer).toMatchObject({ error, state: 'the-state', iss: site.server.url });
    expect(answer).not.toHaveProperty('code');
  });

  test('invalid_scope for a scope that this app was not registered for, with `resource` as without', async () => {
    const app = { client_id: site.extra.narrow.clientId, scope: 'prompts:read prompts:write' };
    for (const resource of [undefined, site.server.url, `${site.server.url}/v1`]) {
      expect(await errorOf({ ...app, resource })).toMatchObject({ error: 'invalid_scope' });
    }
  });

  test.each(['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'code_challenge', 'prompt'])(
    'RFC 6749 §3.1: %s sent twice is refused',
    async (name) => {
      const value = name === 'prompt' ? 'login' : new URL(url({ prompt: 'none' })).searchParams.get(name);
      const twice = `${url(name === 'prompt' ? { prompt: 'login' } : {})}&${name}=${encodeURIComponent(value ?? '')}`;
      const page = await signedIn.open(twice);
      const answer = page.leftTo?.searchParams.get('error') ?? String(page.status);
      expect(answer).toMatch(/^(invalid_request|400)$/);
      expect(page.leftTo?.searchParams.get('code') ?? null).toBeNull();
    },
  );

  test('a service app, which acts for itself, has no authorization flow', async () => {
    const { service } = site.made.apps;
    const page = await signedIn.open(url({ client_id: service.clientId }));
    expect(page.leftTo).toBeUndefined();
    expect(page.status).toBe(400);
  });

  test('state comes back to the character', async () => {
    for (const state of ['a b+c&d=e#f%20"<>ü', `x${'y'.repeat(1500)}`, '']) {
      const answer = await errorOf({ state, scope: 'unknown' });
      expect(answer['state'] ?? '').toBe(state);
    }
    expect(await errorOf({ state: undefined, scope: 'unknown' })).not.toHaveProperty('state');
  });
});

describe('RFC 6749 §4.1.2: the answer', () => {
  test('holds code, state and iss, and nothing else', async () => {
    const callback = callbackOf(await walk(signedIn, url(), site.made.user));
    expect([...callback.keys()].sort()).toEqual(['code', 'iss', 'state']);
    expect(callback.get('state')).toBe('the-state');
    expect(callback.get('iss')).toBe(site.server.url);
    expect(callback.get('code')?.length).toBeGreaterThanOrEqual(43);
  });

  test('is never kept by a cache', async () => {
    const response = await fetch(url({ prompt: 'none' }), { redirect: 'manual' });
    await response.body?.cancel();
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test('§3.3: without a scope, everything is asked for that the app was registered for', async () => {
    const { narrow } = site.extra;
    const deny = { decision: 'deny' } as const;
    const request = url({ client_id: narrow.clientId, scope: undefined });
    const { consent } = await walk(createUserAgent(site.server.url), request, site.made.user, deny);
    expect(askedScopes(consent?.html ?? '')).toEqual(['prompts:read', 'reports:read']);
    const everything = await walk(
      createUserAgent(site.server.url),
      url({ scope: undefined }),
      site.made.user,
      deny,
    );
    expect(askedScopes(everything.consent?.html ?? '')).toEqual(ALL_SCOPES);
  });

  test.each(['query', 'fragment'])('is sent by response_mode=%s as asked', async (mode) => {
    const { leftTo } = await signedIn.open(url({ response_mode: mode }));
    const params = new URLSearchParams(mode === 'query' ? leftTo?.search : leftTo?.hash.slice(1));
    expect(params.get('code')).toBeTruthy();
    expect(params.get('iss')).toBe(site.server.url);
  });

  test('an unknown response_mode is invalid_request', async () => {
    expect(await errorOf({ response_mode: 'web_message' })).toMatchObject({
      error: expect.stringMatching(/^(invalid_request|unsupported_response_mode)$/),
    });
  });

  test('every response mode that is advertised works: the page of form_post may post to the app', async () => {
    const discovery = await fetch(new URL('/.well-known/oauth-authorization-server', site.server.url));
    const { response_modes_supported: modes } = (await discovery.json()) as Record<string, string[]>;
    if (!modes?.includes('form_post')) return;
    const page = await signedIn.open(url({ response_mode: 'form_post' }));
    expect(page.html).toContain('action="http://localhost:8080/callback"');
    const formAction = /form-action ([^;]*)/.exec(page.headers.get('content-security-policy') ?? '')?.[1];
    expect(formAction?.split(' ')).toContain('http://localhost:8080');
  });
});

describe('OpenID Connect Core §3.1.2.1: prompt and max_age', () => {
  const stranger = () => createUserAgent(site.server.url);

  test('prompt=none is login_required where nobody is signed in', async () => {
    expect(await errorOf({ prompt: 'none' }, stranger())).toMatchObject({
      error: 'login_required',
      state: 'the-state',
      iss: site.server.url,
    });
  });

  test('prompt=none is consent_required for scopes that were not allowed yet', async () => {
    expect(await errorOf({ prompt: 'none', scope: 'webhooks:read' })).toMatchObject({
      error: 'consent_required',
      state: 'the-state',
      iss: site.server.url,
    });
  });

  test('prompt=none gives a code for what was allowed before', async () => {
    const { leftTo } = await signedIn.open(url({ prompt: 'none', scope: 'prompts:read' }));
    expect(leftTo?.searchParams.get('code')).toBeTruthy();
  });

  test('prompt=none gives a native app nothing without the person', async () => {
    const { spa } = site.made.apps;
    const native = { client_id: spa.clientId, redirect_uri: spa.redirectUris[0] };
    await getCode(site, { agent: signedIn, client: { ...spa, clientSecret: '' } });
    const answer = await errorOf({ ...native, prompt: 'none' });
    expect(answer['error']).toMatch(/^(interaction|consent)_required$/);
  });

  test('prompt=login asks for the password again', async () => {
    const walked = await walk(signedIn, url({ prompt: 'login' }), site.made.user);
    expect(walked.signedIn).toBe(true);
    expect(callbackOf(walked).get('code')).toBeTruthy();
  });

  test('max_age=0 asks for the password again, a long one does not', async () => {
    expect(
      (await walk(signedIn, url({ scope: 'openid prompts:read', max_age: '100000' }), site.made.user))
        .signedIn,
    ).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // sign-ins are known to the second
    expect(
      (await walk(signedIn, url({ scope: 'openid prompts:read', max_age: '0' }), site.made.user)).signedIn,
    ).toBe(true);
  });

  test('an id_token has the nonce, the time of the sign-in and the app as its audience', async () => {
    const tokens = await getTokens(site, {
      agent: signedIn,
      params: { scope: 'openid profile email', nonce: 'the-nonce', max_age: '100000' },
    });
    const claims = claimsOf(tokens.id_token ?? '');
    expect(claims).toMatchObject({
      iss: site.server.url,
      sub: site.made.user.id,
      aud: site.made.apps.web.clientId,
      nonce: 'the-nonce',
      email: site.made.user.email,
      email_verified: true,
    });
    expect(Math.abs(Date.now() / 1000 - Number(claims['auth_time']))).toBeLessThan(120);
  });
});

test('RFC 6749 §3.3, §5.1: a token for openid alone has a scope, in its claims as in the answer: it is never empty', async () => {
  const tokens = await getTokens(site, { agent: signedIn, params: { scope: 'openid' } });
  expect(tokens.scope).toBe('openid');
  expect(claimsOf(tokens.access_token)['scope']).toBe('openid');
});

describe('RFC 8707: resource', () => {
  test.each([() => site.server.url, () => `${site.server.url}/v1`, () => `${site.server.url}/v1/prompts`])(
    'a resource of ours becomes the audience (%#)',
    async (resource) => {
      const tokens = await getTokens(site, {
        agent: signedIn,
        params: { resource: resource(), scope: 'prompts:read' },
      });
      expect(claimsOf(tokens.access_token)).toMatchObject({ aud: resource(), scope: 'prompts:read' });
    },
  );

  test('§2.2: a token request may not name a resource that was not allowed', async () => {
    const { redemption } = await getCode(site, {
      agent: signedIn,
      params: { resource: `${site.server.url}/v1/prompts`, scope: 'prompts:read' },
    });
    const { status, body } = await tokenRequest(site, { ...redemption, resource: site.server.url });
    expect(`${status} ${body['error']}`).toBe('400 invalid_target');
  });
});
