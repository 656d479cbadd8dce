import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { claimsOf } from '../support/site.ts';
import { createFapiClient, expectRefused, module, PLAN, pause, without } from './fapi2-client.ts';
import { atApp, CALLBACK, isWhole, startWorld, type Visit, type World } from './world.ts';

/** OpenID Foundation, FAPI 2.0 Security Profile: authorization requests, which are pushed. */
describe(PLAN, () => {
  let world: World;
  let rp: client.Configuration;
  let fapi: Awaited<ReturnType<typeof createFapiClient>>;

  beforeAll(async () => {
    world = await startWorld();
    rp = await world.configureKeyed();
    fapi = await createFapiClient(world);
  }, 60_000);
  afterAll(() => world?.stop());

  /** The browser stays at an error page, and isn't sent to any app. */
  const expectStopped = ({ callback, status }: Visit) =>
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });

  test(module('discovery-end-point-verification'), () => {
    expect(rp.serverMetadata()).toMatchObject({
      pushed_authorization_request_endpoint: `${world.issuer}/oauth/par`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256']),
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
    });
  });

  test.each(['keyed', 'secondKeyed'] as const)(`${module('happy-flow')} (%s)`, async (app) => {
    const config = await world.configureKeyed(app);
    const by = await createFapiClient(world, world.apps[app]);
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
    const { verifier, params } = await by.newRequest();
    const url = await client.buildAuthorizationUrlWithPAR(config, params, { DPoP });
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const callback = atApp(await world.visit(url));
    expect(callback.searchParams.get('iss')).toBe(world.issuer);
    const checks = {
      expectedState: 'the-state',
      expectedNonce: 'the-nonce',
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    };
    const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(claimsOf(tokens.access_token)['cnf']).toEqual({ jkt: await DPoP.calculateThumbprint() });
    const me = new URL('/v1/me', world.issuer);
    const answer = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      me,
      'GET',
      null,
      undefined,
      { DPoP },
    );
    expect(answer.status).toBe(200);
  });

  test(module('user-rejects-authentication'), async () => {
    const { body } = await fapi.push({ prompt: 'consent' });
    const visit = await world.visit(fapi.authorizeUrl(body['request_uri']), { answer: { decision: 'deny' } });
    expect(Object.fromEntries(atApp(visit).searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: world.issuer,
    });
  });

  test(module('ensure-authorization-request-without-state-success'), async () => {
    const { callback, form } = await fapi.getCode({ state: undefined });
    expect(callback.searchParams.has('state')).toBe(false);
    expect((await fapi.redeem(form)).status).toBe(200);
  });

  test.each([
    ['ensure-authorization-request-without-nonce-success', undefined],
    ['ensure-authorization-request-with-64-char-nonce-success', 'n'.repeat(64)],
    ['ensure-authorization-request-with-long-nonce', 'n'.repeat(384)],
  ])(module('%s'), async (_, nonce) => {
    const { body } = await fapi.redeem((await fapi.getCode({ nonce })).form);
    expect(claimsOf(String(body['id_token']))['nonce']).toBe(nonce);
  });

  test(module('ensure-authorization-request-with-long-state'), async () => {
    const state = 's'.repeat(384);
    expect((await fapi.getCode({ state })).callback.searchParams.get('state')).toBe(state);
  });

  test(module('ensure-other-scope-order-succeeds'), async () => {
    const { form } = await fapi.getCode({ scope: 'prompts:read openid' });
    expect((await fapi.redeem(form)).status).toBe(200);
  });

  // Only what was pushed counts (RFC 9126 §4, FAPI 2.0 §5.3.2.2).
  test(module('ensure-different-nonce-inside-and-outside-request-object'), async () => {
    const { form } = await fapi.getCode({}, {}, { nonce: 'another' });
    const { body } = await fapi.redeem(form);
    expect(claimsOf(String(body['id_token']))['nonce']).toBe('the-nonce');
  });

  test(module('ensure-different-state-inside-and-outside-request-object'), async () => {
    const { callback } = await fapi.getCode({}, {}, { state: 'another' });
    expect(callback.searchParams.get('state')).toBe('the-state');
  });

  test(module('state-only-outside-request-object-not-used'), async () => {
    const { callback } = await fapi.getCode({ state: undefined }, {}, { state: 'outside' });
    expect(callback.searchParams.has('state')).toBe(false);
    expect(callback.searchParams.has('code')).toBe(true);
  });

  test(module('ensure-request-object-without-redirect-uri-fails'), async () => {
    const { params } = await fapi.newRequest({ redirect_uri: undefined });
    expectRefused(await fapi.post('/oauth/par', params), 'invalid_request');
  });

  test(module('ensure-registered-redirect-uri'), async () => {
    const answer = await fapi.push({ redirect_uri: 'https://rp.example/other' });
    expectRefused(answer, 'invalid_request', 'invalid_redirect_uri');
  });

  // RFC 9126 §2.4 allows them for clients that prove themselves; whether they are is the server's choice.
  test(module('plain-fapi-tolerate-unregistered-redirect-uri'), async () => {
    const answer = await fapi.push({ redirect_uri: `${CALLBACK}/${randomUUID()}` });
    expect(answer.status).toBe(400);
  });

  test(module('ensure-redirect-uri-in-authorization-request'), async () => {
    expect((await fapi.push({ redirect_uri: undefined })).status).toBe(400);
  });

  test(module('ensure-unsigned-authorization-request-without-using-par-fails'), async () => {
    const { params } = await fapi.newRequest();
    const { clientId } = world.apps.keyed;
    const query = new URLSearchParams({ ...params, client_id: clientId }).toString();
    const { callback, status } = await world.visit(`${world.issuer}/oauth/authorize?${query}`);
    expect(callback?.searchParams.get('error') ?? String(status)).toMatch(/^(invalid_request|400)$/);
    expect(callback?.searchParams.has('code') ?? false).toBe(false);
  });

  test.each([
    ['ensure-response-type-code-idtoken-fails', 'code id_token'],
    ['ensure-response-type-token-fails', 'token'],
  ])(module('%s'), async (_, responseType) => {
    const errors = ['unsupported_response_type', 'unauthorized_client', 'invalid_request'];
    expectRefused(await fapi.push({ response_type: responseType }), ...errors);
  });

  test(module('par-ensure-reused-request-uri-prior-to-auth-completion-succeeds'), async () => {
    const { verifier, params } = await fapi.newRequest();
    const { body } = await fapi.post('/oauth/par', params);
    const browser = world.newBrowser();
    const url = fapi.authorizeUrl(body['request_uri']);
    expect((await browser.open(url)).html).toContain('name="password"'); // and nobody goes on from there
    const callback = atApp(await world.visit(url));
    const code = callback.searchParams.get('code') ?? '';
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    };
    expect((await fapi.redeem(form)).status).toBe(200);
  });

  test(module('par-attempt-reuse-request_uri'), async () => {
    const { body } = await fapi.push();
    atApp(await world.visit(fapi.authorizeUrl(body['request_uri'])));
    expectStopped(await world.visit(fapi.authorizeUrl(body['request_uri'])));
  });

  test(module('par-attempt-to-use-expired-request_uri'), async () => {
    const { body } = await fapi.push();
    expect(body['expires_in']).toBeLessThan(600);
    expect(body['expires_in']).toBeGreaterThanOrEqual(5);
    if (!isWhole) return;
    await pause(Number(body['expires_in']) + 5);
    expectStopped(await world.visit(fapi.authorizeUrl(body['request_uri'])));
  }, 120_000);

  test(module('par-attempt-to-use-request_uri-for-different-client'), async () => {
    const { body } = await fapi.push();
    const client_id = world.apps.secondKeyed.clientId;
    expectStopped(await world.visit(fapi.authorizeUrl(body['request_uri'], { client_id })));
  });

  test(module('par-authorization-request-containing-request_uri-form-param'), async () => {
    const answer = await fapi.push({ request_uri: `urn:ietf:params:oauth:request_uri:${randomUUID()}` });
    expect(answer.status).toBe(400);
  });

  test(module('par-attempt-invalid-http-method'), async () => {
    const { params } = await fapi.newRequest();
    const body = new URLSearchParams({ ...params, client_id: world.apps.keyed.clientId });
    const answer = await fetch(`${world.issuer}/oauth/par`, { method: 'PUT', body });
    expect([400, 404, 405]).toContain(answer.status);
  });

  test(module('par-without-duplicate-parameters'), async () => {
    const { callback } = await fapi.getCode(); // the URL has client_id and request_uri alone
    expect(callback.searchParams.get('state')).toBe('the-state');
  });

  test(module('par-ensure-pkce-required'), async () => {
    const { params } = await fapi.newRequest();
    const answer = await fapi.post('/oauth/par', without(params, 'code_challenge', 'code_challenge_method'));
    expectRefused(answer, 'invalid_request');
  });

  test(module('par-plain-pkce-rejected'), async () => {
    const answer = await fapi.push({ code_challenge_method: 'plain' });
    expectRefused(answer, 'invalid_request');
  });
});
