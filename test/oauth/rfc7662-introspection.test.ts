import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { ownToken } from '../support/api.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { claimsOf } from '../support/site.ts';
import { getTokens, refreshForm, tokenRequest } from './support.ts';
import { type Askers, addAskers, ask, introspect } from './token-management.ts';

let site: PreparedSite<Askers>;
let userToken: string;
let refreshToken: string;
let serviceToken: string;

/** One of each kind, all of the demo organization. */
const kinds = () => ({
  "a person's access token": userToken,
  "a service's access token": serviceToken,
  'a refresh token': refreshToken,
  'an API key': site.made.apiKeys.live,
});

beforeAll(async () => {
  site = await startPreparedSite('embedded', addAskers);
  const tokens = await getTokens(site, { params: { scope: 'openid prompts:read prompts:write' } });
  userToken = tokens.access_token;
  refreshToken = tokens.refresh_token ?? '';
  serviceToken = await ownToken(site, site.made.apps.service, 'prompts:read');
}, 60_000);
afterAll(() => site.stop());

describe('RFC 7662 §2.2: what the answer says', () => {
  test("of a person's access token: its claims, the organization, the plan and how it was authenticated", async () => {
    const { made, extra } = site;
    const claims = claimsOf(userToken);
    expect(await introspect(site, extra.sibling, userToken)).toEqual({
      active: true,
      scope: claims['scope'],
      client_id: made.apps.web.clientId,
      token_type: 'Bearer',
      sub: made.user.id,
      aud: made.apps.web.clientId,
      iss: site.server.url,
      exp: claims['exp'],
      iat: claims['iat'],
      jti: claims['jti'],
      org_id: made.organization.id,
      env: 'live',
      auth_method: 'oauth_user',
      plan: made.organization.plan,
    });
  });

  test('of an app that acts for itself: the app is its subject', async () => {
    const { clientId } = site.made.apps.service;
    expect(await introspect(site, site.extra.sibling, serviceToken)).toMatchObject({
      active: true,
      scope: 'prompts:read',
      client_id: clientId,
      sub: clientId,
      auth_method: 'client_credentials',
    });
  });

  test('of a refresh token: no token_type, the person and what was granted', async () => {
    const { made, extra } = site;
    const body = await introspect(site, extra.sibling, refreshToken);
    expect(body).toEqual({
      active: true,
      scope: expect.stringContaining('prompts:write'),
      client_id: made.apps.web.clientId,
      sub: made.user.id,
      iss: site.server.url,
      exp: expect.any(Number),
      iat: expect.any(Number),
      org_id: made.organization.id,
      env: 'live',
      auth_method: 'oauth_user',
      plan: made.organization.plan,
    });
    expect(Number(body['exp']) - Number(body['iat'])).toBe(30 * 86_400);
  });

  test('of an API key: its scopes, its creator and its id; no expiry where it has none', async () => {
    const { made, extra } = site;
    expect(await introspect(site, extra.sibling, made.apiKeys.live)).toEqual({
      active: true,
      scope: ALL_SCOPES.join(' '),
      token_type: 'Bearer',
      sub: made.user.id,
      iss: site.server.url,
      jti: expect.stringMatching(/^key_/),
      iat: expect.any(Number),
      org_id: made.organization.id,
      env: 'live',
      auth_method: 'api_key',
      plan: made.organization.plan,
    });
    expect(await introspect(site, extra.sibling, made.apiKeys.test)).toMatchObject({ env: 'test' });
  });

  test('of an API key that an app made, with its expiry and the addresses that it is held to', async () => {
    const { made, extra, server } = site;
    const expiresAt = new Date(Date.now() + 3_600_000);
    const admin = await ownToken(site, made.apps.service);
    const response = await fetch(new URL('/v1/api-keys', server.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        name: 'k',
        environment: 'live',
        scopes: ['prompts:read'],
        expiresAt: expiresAt.toISOString(),
        ipAllowlist: ['192.0.2.0/24'],
      }),
    });
    const { key } = (await response.json()) as { key: string };
    expect(await introspect(site, extra.sibling, key)).toMatchObject({
      active: true,
      client_id: made.apps.service.clientId,
      sub: made.apps.service.clientId,
      exp: Math.floor(expiresAt.getTime() / 1000),
      ip_allowlist: ['192.0.2.0/24'],
    });
  });

  test('the hint about the kind of token may be wrong (RFC 7662 §2.1)', async () => {
    for (const [kind, token] of Object.entries(kinds())) {
      for (const hint of ['access_token', 'refresh_token', 'something_else']) {
        const body = await introspect(site, site.extra.sibling, token, { token_type_hint: hint });
        expect({ kind, hint, active: body['active'] }).toEqual({ kind, hint, active: true });
      }
    }
  });

  test('is JSON that is not kept, whatever the request accepts', async () => {
    const response = await fetch(new URL('/oauth/introspect', site.server.url), {
      method: 'POST',
      headers: {
        Accept: 'text/html',
        Authorization: `Basic ${btoa(`${site.extra.sibling.clientId}:${site.extra.sibling.clientSecret}`)}`,
      },
      body: new URLSearchParams({ token: userToken }),
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(await response.json()).toMatchObject({ active: true });
  });
});

describe('RFC 7662 §4: who is told', () => {
  test('apps of the same organization, the app itself, and resource servers that the operator marked', async () => {
    const { made, extra } = site;
    for (const [kind, token] of Object.entries(kinds())) {
      for (const client of [extra.sibling, extra.resourceServer, made.apps.web]) {
        const body = await introspect(site, client, token);
        expect({ kind, active: body['active'] }).toEqual({ kind, active: true });
      }
    }
  });

  test('to another organization every token is just not active', async () => {
    for (const token of Object.values(kinds())) {
      expect(await introspect(site, site.extra.stranger, token)).toEqual({ active: false });
    }
  });

  test('to a sandbox app production credentials are not active; the sandbox’s own are', async () => {
    const { made, extra } = site;
    for (const token of Object.values(kinds())) {
      expect(await introspect(site, extra.sandboxSibling, token)).toEqual({ active: false });
    }
    expect(await introspect(site, extra.sandboxSibling, made.apiKeys.test)).toMatchObject({ active: true });
  });

  test('a public app can not ask at all, nor somebody with a wrong secret (401 invalid_client)', async () => {
    const { made, extra } = site;
    for (const client of [
      { clientId: made.apps.spa.clientId, clientSecret: '' },
      { clientId: extra.sibling.clientId, clientSecret: extra.stranger.clientSecret },
    ]) {
      const { status, body } = await ask(site, '/oauth/introspect', client, userToken);
      expect({ status, body }).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(body).not.toHaveProperty('active');
    }
  });
});

describe('RFC 7662 §2.2: a token that is none, or holds no more, is not active', () => {
  test('nonsense, a forged token, an id_token, a key that was never issued', async () => {
    const [header, , signature] = userToken.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(userToken), sub: 'usr_x' })).toString(
      'base64url',
    );
    const { id_token: idToken = '' } = await getTokens(site, { params: { scope: 'openid prompts:read' } });
    const never = `pr_live_${'0'.repeat(36)}`;
    for (const token of ['nonsense', `~${userToken}~`, `${header}.${forged}.${signature}`, idToken, never]) {
      expect(await introspect(site, site.extra.sibling, token)).toEqual({ active: false });
    }
  });

  test('a refresh token that was rotated, and looking at it is no replay', async () => {
    const { made, extra } = site;
    const { refresh_token: first = '' } = await getTokens(site);
    const { body } = await tokenRequest(site, refreshForm(made.apps.web, first));
    expect(await introspect(site, extra.sibling, first)).toEqual({ active: false });
    const second = String(body['refresh_token']);
    expect(await introspect(site, extra.sibling, second)).toMatchObject({ active: true });
    expect((await tokenRequest(site, refreshForm(made.apps.web, second))).status).toBe(200);
  });

  test('a request without a token, or with two, is invalid_request', async () => {
    const missing = await ask(site, '/oauth/introspect', site.extra.sibling, '');
    expect(missing).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const body = new URLSearchParams([
      ['token', userToken],
      ['token', serviceToken],
      ['client_id', site.extra.sibling.clientId],
      ['client_secret', site.extra.sibling.clientSecret],
    ]);
    const response = await fetch(new URL('/oauth/introspect', site.server.url), { method: 'POST', body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test('both endpoints stand in the metadata (RFC 8414 §2), and are for POST alone', async () => {
    const document = await fetch(new URL('/.well-known/oauth-authorization-server', site.server.url));
    expect(await document.json()).toMatchObject({
      introspection_endpoint: `${site.server.url}/oauth/introspect`,
      revocation_endpoint: `${site.server.url}/oauth/revoke`,
      introspection_endpoint_auth_methods_supported: expect.not.arrayContaining(['none']),
      revocation_endpoint_auth_methods_supported: expect.arrayContaining(['client_secret_basic', 'none']),
    });
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const response = await fetch(new URL(path, site.server.url));
      expect(response.status).toBe(405);
    }
  });
});
