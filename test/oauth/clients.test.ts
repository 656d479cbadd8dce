import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jsonwebtoken from 'jsonwebtoken';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { authorize, claimsOf, codeFlow, type Site, startSite } from '../support/site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite();
}, 60_000);

afterAll(() => site.stop());

const authorizeWith = async (config: client.Configuration, redirectUri: string, scope: string) => {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const callback = await authorize(site, url.href);
  return client.authorizationCodeGrant(config, callback, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
};

describe('openid-client', () => {
  const discover = (clientId: string, secret?: string, algorithm: 'oidc' | 'oauth2' = 'oidc') =>
    client.discovery(
      new URL(site.server.url),
      clientId,
      undefined,
      secret ? client.ClientSecretPost(secret) : client.None(),
      {
        execute: [client.allowInsecureRequests],
        algorithm,
      },
    );

  test('does discovery, code with PKCE, and refresh for a confidential app, and reads /v1/prompts', async () => {
    const { web } = site.made.apps;
    const config = await discover(web.clientId, web.clientSecret);
    const tokens = await authorizeWith(config, web.redirectUris[0] as string, 'prompts:read prompts:write');
    expect(tokens.scope).toBe('prompts:read prompts:write');
    expect(tokens.expires_in).toBe(3600);
    expect(tokens.refresh_token).toMatch(/^rt_[0-9A-Za-z]{36}$/);

    const prompts = new URL('/v1/prompts', site.server.url);
    const answer = await client.fetchProtectedResource(config, tokens.access_token, prompts, 'GET');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: 'list', hasMore: false });

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token as string);
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(refreshed.scope).toBe('prompts:read prompts:write');
  });

  test('does code with PKCE for a public app, at any loopback port', async () => {
    const { spa } = site.made.apps;
    const config = await discover(spa.clientId, undefined, 'oauth2');
    const tokens = await authorizeWith(config, 'http://127.0.0.1:49876/callback', 'reports:read');
    expect(claimsOf(tokens.access_token)).toMatchObject({ client_id: spa.clientId, scope: 'reports:read' });
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token as string);
    expect(refreshed.refresh_token).toMatch(/^rt_/);
  });

  test('does client credentials', async () => {
    const { service } = site.made.apps;
    const config = await discover(service.clientId, service.clientSecret);
    const tokens = await client.clientCredentialsGrant(config, { scope: 'prompts:read' });
    expect(tokens.refresh_token).toBeUndefined();
    expect(claimsOf(tokens.access_token)).toMatchObject({
      sub: service.clientId,
      org_id: site.made.organization.id,
    });
  });

  test('accepts the id_token when openid is asked for', async () => {
    const { web } = site.made.apps;
    const config = await discover(web.clientId, web.clientSecret);
    const tokens = await authorizeWith(config, web.redirectUris[0] as string, 'openid email prompts:read');
    expect(tokens.claims()).toMatchObject({
      sub: site.made.user.id,
      email: site.made.user.email,
      email_verified: true,
    });
    expect(tokens.scope?.split(' ')).toContain('prompts:read');
  });
});

describe('oauth4webapi', () => {
  const insecure = { [oauth.allowInsecureRequests]: true };

  test('does discovery, code, refresh and client credentials with client_secret_basic', async () => {
    const { web, service } = site.made.apps;
    const issuer = new URL(site.server.url);
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    );
    const app: oauth.Client = { client_id: web.clientId };
    const auth = oauth.ClientSecretBasic(web.clientSecret);
    const verifier = oauth.generateRandomCodeVerifier();
    const url = new URL(server.authorization_endpoint as string);
    url.search = new URLSearchParams({
      client_id: web.clientId,
      redirect_uri: web.redirectUris[0] as string,
      response_type: 'code',
      scope: 'evaluations:read',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: 'xyz',
    }).toString();
    const params = oauth.validateAuthResponse(server, app, await authorize(site, url.href), 'xyz');
    const tokens = await oauth.processAuthorizationCodeResponse(
      server,
      app,
      await oauth.authorizationCodeGrantRequest(
        server,
        app,
        auth,
        params,
        web.redirectUris[0] as string,
        verifier,
        insecure,
      ),
    );
    expect(tokens.scope).toBe('evaluations:read');
    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      app,
      await oauth.refreshTokenGrantRequest(server, app, auth, tokens.refresh_token as string, insecure),
    );
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);

    const serviceApp: oauth.Client = { client_id: service.clientId };
    const own = await oauth.processClientCredentialsResponse(
      server,
      serviceApp,
      await oauth.clientCredentialsGrantRequest(
        server,
        serviceApp,
        oauth.ClientSecretBasic(service.clientSecret),
        { scope: 'reports:read' },
        insecure,
      ),
    );
    expect(own.token_type).toBe('bearer');
  });
});

describe('jsonwebtoken with jwks-rsa', () => {
  test('verifies the access token by the JWKS, with issuer and audience', async () => {
    const { web } = site.made.apps;
    const { access_token: token } = await codeFlow(site);
    const { default: jwksRsa } = await import('jwks-rsa'); // it requires jose, which Jest can't do while that is loading
    const keys = jwksRsa({
      jwksUri: `${site.server.url}/.well-known/jwks.json`,
      cache: true,
      rateLimit: true,
    });
    const decoded = jsonwebtoken.decode(token, { complete: true });
    expect(decoded?.header).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
    const key = await keys.getSigningKey(decoded?.header.kid);
    const claims = jsonwebtoken.verify(token, key.getPublicKey(), {
      algorithms: ['RS256'],
      issuer: site.server.url,
      audience: web.clientId,
    }) as jsonwebtoken.JwtPayload;
    expect(Object.keys(claims).sort()).toEqual(
      ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'org_id', 'scope', 'sub'].sort(),
    );
    expect(claims).toMatchObject({
      sub: site.made.user.id,
      org_id: site.made.organization.id,
      client_id: web.clientId,
      scope: 'prompts:read prompts:write reports:read',
    });
    expect((claims.exp as number) - (claims.iat as number)).toBe(3600);
  });
});
