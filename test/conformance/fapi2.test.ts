import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import * as client from 'openid-client';
import { createDpopKey, type DpopKey } from '../oauth/dpop-support.ts';
import { claimsOf } from '../support/site.ts';
import { atApp, CALLBACK, isWhole, startWorld, type World } from './world.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** OpenID Foundation, FAPI 2.0 Security Profile: what it says of PAR and of DPoP, with private_key_jwt. */
describe('fapi2-security-profile-final-test-plan (PAR, DPoP)', () => {
  let world: World;
  let rp: client.Configuration;
  let key: DpopKey;

  beforeAll(async () => {
    world = await startWorld();
    rp = await world.configureKeyed();
    key = await createDpopKey();
  }, 60_000);
  afterAll(() => world?.stop());

  const now = () => Math.floor(Date.now() / 1000);
  const assertion = async (claims: Record<string, unknown> = {}) => {
    const { clientId, privateKey } = world.apps.keyed;
    return new SignJWT({
      iss: clientId,
      sub: clientId,
      aud: world.issuer,
      jti: randomUUID(),
      iat: now(),
      exp: now() + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey);
  };
  type Answer = { status: number; body: Record<string, unknown>; headers: Headers };
  const post = async (
    path: string,
    form: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const body = new URLSearchParams({
      client_id: world.apps.keyed.clientId,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertion(),
      ...form,
    });
    const answer = await fetch(world.issuer + path, { method: 'POST', body, headers });
    return {
      status: answer.status,
      body: (await answer.json()) as Record<string, unknown>,
      headers: answer.headers,
    };
  };
  const newRequest = async (more: Record<string, string> = {}) => {
    const verifier = client.randomPKCECodeVerifier();
    const params = {
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid prompts:read',
      state: 'the-state',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    };
    return { verifier, params };
  };
  const without = ({ ...params }: Record<string, string>, ...names: string[]) => {
    for (const name of names) delete params[name];
    return params;
  };
  const authorizeUrl = (requestUri: unknown, clientId = world.apps.keyed.clientId) =>
    `${world.issuer}/oauth/authorize?${new URLSearchParams({ client_id: clientId, request_uri: String(requestUri) }).toString()}`;
  /** Pushes, and lets a person allow it: the code, and the form that redeems it. */
  const getCode = async (more: Record<string, string> = {}, headers: Record<string, string> = {}) => {
    const { verifier, params } = await newRequest(more);
    const { body } = await post('/oauth/par', params, headers);
    const callback = atApp(await world.visit(authorizeUrl(body['request_uri'])));
    const code = callback.searchParams.get('code') ?? '';
    return {
      callback,
      form: { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier },
    };
  };
  const proofFor = async (
    path: string,
    by = key,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ) => ({
    DPoP: await by.prove({ method: 'POST', url: world.issuer + path }, claims, header),
  });
  const redeem = async (form: Record<string, string>, headers?: Record<string, string>) =>
    post('/oauth/token', form, headers ?? (await proofFor('/oauth/token')));
  const resource = (token: string, proof: string | undefined, scheme = 'DPoP') =>
    fetch(`${world.issuer}/v1/me`, {
      headers: { Authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { DPoP: proof }) },
    });
  const proofAtResource = (
    accessToken: string,
    claims: Record<string, unknown> = {},
    header = {},
    by = key,
  ) => by.prove({ method: 'GET', url: `${world.issuer}/v1/me`, accessToken }, claims, header);
  const boundToken = async () => (await redeem((await getCode()).form)).body['access_token'] as string;

  test('fapi2-security-profile-final-discovery-end-point-verification', () => {
    expect(rp.serverMetadata()).toMatchObject({
      pushed_authorization_request_endpoint: `${world.issuer}/oauth/par`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256']),
    });
  });

  test('fapi2-security-profile-final-happy-flow', async () => {
    const DPoP = client.getDPoPHandle(rp, await client.randomDPoPKeyPair('ES256'));
    const { verifier, params } = await newRequest({ nonce: 'the-nonce' });
    const url = await client.buildAuthorizationUrlWithPAR(rp, params, { DPoP });
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const callback = atApp(await world.visit(url));
    expect(callback.searchParams.get('iss')).toBe(world.issuer);
    const tokens = await client.authorizationCodeGrant(
      rp,
      callback,
      { expectedState: 'the-state', expectedNonce: 'the-nonce', pkceCodeVerifier: verifier },
      undefined,
      { DPoP },
    );
    expect(tokens.token_type).toBe('dpop');
    expect(claimsOf(tokens.access_token)['cnf']).toEqual({ jkt: await DPoP.calculateThumbprint() });
    const me = new URL('/v1/me', world.issuer);
    const answer = await client.fetchProtectedResource(rp, tokens.access_token, me, 'GET', null, undefined, {
      DPoP,
    });
    expect(answer.status).toBe(200);
  });

  test('fapi2-security-profile-final-par-attempt-reuse-request_uri', async () => {
    const { params } = await newRequest();
    const { body } = await post('/oauth/par', params);
    atApp(await world.visit(authorizeUrl(body['request_uri'])));
    const { callback, status } = await world.visit(authorizeUrl(body['request_uri']));
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });
  });

  test('fapi2-security-profile-final-par-attempt-to-use-expired-request_uri', async () => {
    const { params } = await newRequest();
    const { body } = await post('/oauth/par', params);
    expect(body['expires_in']).toBeLessThan(600);
    expect(body['expires_in']).toBeGreaterThanOrEqual(5);
    if (!isWhole) return;
    await new Promise((resolve) => setTimeout(resolve, (Number(body['expires_in']) + 5) * 1000)); // as the module waits
    const { callback, status } = await world.visit(authorizeUrl(body['request_uri']));
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });
  }, 120_000);

  test('fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client', async () => {
    const { params } = await newRequest();
    const { body } = await post('/oauth/par', params);
    const { callback, status } = await world.visit(
      authorizeUrl(body['request_uri'], world.apps.basic.clientId),
    );
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });
  });

  test('fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param', async () => {
    const { params } = await newRequest({ request_uri: `urn:ietf:params:oauth:request_uri:${randomUUID()}` });
    expect((await post('/oauth/par', params)).status).toBe(400);
  });

  test('fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client', async () => {
    const { form } = await getCode();
    const { clientId, clientSecret } = world.apps.basic;
    const body = new URLSearchParams({ ...form, client_id: clientId, client_secret: clientSecret });
    const answer = await fetch(`${world.issuer}/oauth/token`, { method: 'POST', body });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second', async () => {
    const { form } = await getCode();
    expect((await redeem(form)).status).toBe(200);
    expect(await redeem(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('fapi2-security-profile-final-ensure-pkce-code-verifier-required', async () => {
    const { form } = await getCode();
    expect(await redeem(without(form, 'code_verifier'))).toMatchObject({ status: 400 });
  });

  test('fapi2-security-profile-final-incorrect-pkce-code-verifier-rejected', async () => {
    const { form } = await getCode();
    expect(await redeem({ ...form, code_verifier: client.randomPKCECodeVerifier() })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('fapi2-security-profile-final-par-ensure-pkce-required', async () => {
    const { params } = await newRequest();
    const answer = await post('/oauth/par', without(params, 'code_challenge', 'code_challenge_method'));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('fapi2-security-profile-final-par-plain-pkce-rejected', async () => {
    const { params } = await newRequest({ code_challenge_method: 'plain' });
    expect(await post('/oauth/par', params)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  test('fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request', async () => {
    const { params } = await newRequest();
    const { redirect_uri: _, ...rest } = params;
    expect((await post('/oauth/par', rest)).status).toBe(400);
    expect((await post('/oauth/par', { ...params, redirect_uri: 'https://rp.example/other' })).status).toBe(
      400,
    );
  });

  test.each<[string, () => Record<string, unknown>]>([
    ['expired-client-assertion', () => ({ exp: now() - 60 })],
    ['client-assertion-without-exp', () => ({ exp: undefined })],
    ['client-assertion-with-wrong-aud', () => ({ aud: 'https://other.example' })],
    ['client-assertion-with-wrong-iss', () => ({ iss: 'somebody' })],
    ['client-assertion-with-no-sub', () => ({ sub: undefined })],
  ])('fapi2-security-profile-final-ensure-%s-fails', async (_, claims) => {
    const { params } = await newRequest();
    const answer = await post('/oauth/par', { ...params, client_assertion: await assertion(claims()) });
    expect(answer.body).toMatchObject({ error: 'invalid_client' });
    expect(answer.status).toBe(401);
  });

  test('fapi2-security-profile-final-client-assertion-reuse-fails', async () => {
    const client_assertion = await assertion();
    const { params } = await newRequest();
    expect((await post('/oauth/par', { ...params, client_assertion })).status).toBe(201);
    expect((await post('/oauth/par', { ...params, client_assertion })).body).toMatchObject({
      error: 'invalid_client',
    });
  });

  test('fapi2-security-profile-final-ensure-holder-of-key-required', async () => {
    const token = await boundToken();
    expect((await resource(token, undefined)).status).toBe(401);
    const bearer = await resource(token, undefined, 'Bearer');
    expect(bearer.status).toBe(401);
    expect(bearer.headers.get('www-authenticate')).toMatch(/^DPoP /);
  });

  test('fapi2-security-profile-final-check-dpop-proof-nbf-exp', async () => {
    const token = await boundToken();
    const status = async (claims: Record<string, unknown>) =>
      (await resource(token, await proofAtResource(token, claims))).status;
    expect(await status({ exp: now() + 60, nbf: now() - 5 })).toBe(200);
    expect(await status({ exp: now() - 60 })).toBe(401);
    expect(await status({ nbf: now() + 120 })).toBe(401);
    expect(await status({ iat: now() - 5 })).toBe(200);
    expect(await status({ iat: now() + 5 })).toBe(200);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no-jti', { jti: undefined }, {}],
    ['no-htm', { htm: undefined }, {}],
    ['wrong-htm', { htm: 'PUT' }, {}],
    ['no-htu', { htu: undefined }, {}],
    ['wrong-htu', { htu: 'https://other.example/v1/me' }, {}],
    ['no-iat', { iat: undefined }, {}],
    ['old-iat', { iat: 1_600_000_000 }, {}],
    ['future-iat', { iat: 4_000_000_000 }, {}],
    ['no-ath', { ath: undefined }, {}],
    ['wrong-ath', { ath: 'bm90LWl0' }, {}],
    ['wrong-typ', {}, { typ: 'JWT' }],
    ['no-jwk', {}, { jwk: undefined }],
  ])('fapi2-security-profile-final-dpop-negative-tests (%s)', async (_, claims, header) => {
    const token = await boundToken();
    const answer = await resource(token, await proofAtResource(token, claims, header));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*algs="/);
  });

  test('fapi2-security-profile-final-dpop-negative-tests (jti-reuse)', async () => {
    const token = await boundToken();
    const proof = await proofAtResource(token);
    expect((await resource(token, proof)).status).toBe(200);
    expect((await resource(token, proof)).status).toBe(401);
  });

  test('fapi2-security-profile-final-dpop-negative-tests (other-key)', async () => {
    const token = await boundToken();
    expect((await resource(token, await proofAtResource(token, {}, {}, await createDpopKey()))).status).toBe(
      401,
    );
  });

  test('fapi2-security-profile-final-ensure-dpop-auth-code-binding-success', async () => {
    const { form } = await getCode({ dpop_jkt: key.jkt });
    expect(await redeem(form)).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test('fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails', async () => {
    const { form } = await getCode({ dpop_jkt: key.jkt });
    const answer = await redeem(form, await proofFor('/oauth/token', await createDpopKey()));
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^invalid_(grant|dpop_proof)$/) },
    });
  });

  test('fapi2-security-profile-final-ensure-dpop-proof-at-par-endpoint-binding-success', async () => {
    const { form } = await getCode({}, await proofFor('/oauth/par'));
    expect(await redeem(form)).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test('fapi2-security-profile-final-ensure-mismatched-dpop-proof-jkt-fails', async () => {
    const { params } = await newRequest({ dpop_jkt: (await createDpopKey()).jkt });
    const answer = await post('/oauth/par', params, await proofFor('/oauth/par'));
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^invalid_(request|dpop_proof)$/) },
    });
  });

  test('fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt', async () => {
    const { form } = await getCode({}, await proofFor('/oauth/par'));
    const answer = await redeem(form, await proofFor('/oauth/token', await createDpopKey()));
    expect(answer.status).toBe(400);
  });

  test('fapi2-security-profile-final-refresh-token', async () => {
    const { body } = await redeem((await getCode()).form);
    const form = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    const refreshed = await redeem(form);
    expect(refreshed).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const token = refreshed.body['access_token'] as string;
    expect((await resource(token, await proofAtResource(token))).status).toBe(200);
  });

  test('fapi2-security-profile-final-user-rejects-authentication', async () => {
    const { params } = await newRequest({ prompt: 'consent' });
    const { body } = await post('/oauth/par', params);
    const visit = await world.visit(authorizeUrl(body['request_uri']), { answer: { decision: 'deny' } });
    expect(Object.fromEntries(atApp(visit).searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: world.issuer,
    });
  });
});
