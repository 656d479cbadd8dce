import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, generateKeyPair, UnsecuredJWT } from 'jose';
import * as client from 'openid-client';
import {
  createFapiClient,
  expectRefused,
  type Members,
  module,
  now,
  PLAN,
  pause,
  without,
} from './fapi2-client.ts';
import { isWhole, startWorld, type World } from './world.ts';

/** OpenID Foundation, FAPI 2.0 Security Profile: the token endpoint, and how clients prove themselves. */
describe(PLAN, () => {
  let world: World;
  let fapi: Awaited<ReturnType<typeof createFapiClient>>;
  let second: Awaited<ReturnType<typeof createFapiClient>>;

  beforeAll(async () => {
    world = await startWorld();
    fapi = await createFapiClient(world);
    second = await createFapiClient(world, world.apps.secondKeyed);
  }, 60_000);
  afterAll(() => world?.stop());

  type Refused = Awaited<ReturnType<typeof fapi.post>>;
  const expectClientRefused = (answer: Refused) => expectRefused(answer, 'invalid_client', 'invalid_request');

  test(module('ensure-authorization-code-is-bound-to-client'), async () => {
    const { form } = await fapi.getCode();
    expectRefused(await second.redeem(form), 'invalid_grant');
  });

  test(module('attempt-reuse-authorization-code-after-one-second'), async () => {
    const { form } = await fapi.getCode();
    const { body } = await fapi.redeem(form);
    const token = String(body['access_token']);
    expect((await fapi.resource(token, await fapi.proofAtResource(token))).status).toBe(200);
    await pause(1);
    expectRefused(await fapi.redeem(form), 'invalid_grant');
    // RFC 6749 §4.1.2: what the code gave is revoked; the module allows it some time.
    expect((await fapi.resource(token, await fapi.proofAtResource(token))).status).toBe(401);
  });

  test(module('ensure-token-endpoint-fails-with-expired-auth-code'), async () => {
    const { form } = await fapi.getCode();
    if (!isWhole) return expect(form.code).not.toBe(''); // codes live a minute: test/oauth/rfc6749-token.test.ts
    await pause(62);
    expectRefused(await fapi.redeem(form), 'invalid_grant');
  }, 120_000);

  test(module('ensure-pkce-code-verifier-required'), async () => {
    const { form } = await fapi.getCode();
    expectRefused(await fapi.redeem(without(form, 'code_verifier')), 'invalid_grant', 'invalid_request');
  });

  test(module('incorrect-pkce-code-verifier-rejected'), async () => {
    const { form } = await fapi.getCode();
    const answer = await fapi.redeem({ ...form, code_verifier: client.randomPKCECodeVerifier() });
    expectRefused(answer, 'invalid_grant');
  });

  test(module('ensure-client-id-in-token-endpoint'), async () => {
    const { form } = await fapi.getCode();
    const client_id = world.apps.secondKeyed.clientId; // another's, beside the assertion of the right one
    expectClientRefused(await fapi.redeem({ ...form, client_id }));
  });

  test(module('ensure-client-assertion-in-token-endpoint'), async () => {
    const { form } = await fapi.getCode();
    const bare = { ...form, client_id: world.apps.keyed.clientId };
    expectClientRefused(await fapi.postBare('/oauth/token', bare, await fapi.proofFor('/oauth/token')));
  });

  const withAssertion = async (client_assertion: string, more: Record<string, string> = {}) =>
    fapi.post('/oauth/par', { ...(await fapi.newRequest()).params, client_assertion, ...more });

  test.each<[string, () => Members]>([
    ['ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', () => ({ exp: now() - 300 })],
    ['ensure-client-assertion-with-wrong-aud-fails', () => ({ aud: 'https://other.example' })],
    ['ensure-client-assertion-with-no-sub-fails', () => ({ sub: undefined })],
  ])(module('%s'), async (_, claims) => {
    const { form } = await fapi.getCode();
    const client_assertion = await fapi.assertion(claims());
    expectClientRefused(await fapi.redeem({ ...form, client_assertion }));
    expectClientRefused(await withAssertion(client_assertion));
  });

  test(module('ensure-signed-client-assertion-with-RS256-fails'), async () => {
    const params = (await second.newRequest()).params;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', world.apps.secondKeyed.privateKey);
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const same = await crypto.subtle.importKey('pkcs8', pkcs8, rsa, false, ['sign']);
    for (const key of [same, privateKey]) {
      const client_assertion = await second.assertion({}, 'RS256', key);
      expectClientRefused(await second.post('/oauth/par', { ...params, client_assertion }));
    }
  });

  test.each<[string, () => Members]>([
    ['without sub', () => ({ sub: undefined })],
    ['wrong sub', () => ({ sub: 'somebody' })],
    ['without iss', () => ({ iss: undefined })],
    ['wrong iss', () => ({ iss: 'somebody' })],
    ['without aud', () => ({ aud: undefined })],
    ['unrelated aud', () => ({ aud: 'https://other.example' })],
    ['PAR endpoint as aud', () => ({ aud: `${world.issuer}/oauth/par` })],
    ['token endpoint as aud', () => ({ aud: `${world.issuer}/oauth/token` })],
    ['array as aud', () => ({ aud: [world.issuer, 'https://other.example'] })],
    ['exp in the past', () => ({ exp: now() - 300 })],
    [
      'iat and nbf over 60 seconds in the future',
      () => ({ iat: now() + 90, nbf: now() + 90, exp: now() + 150 }),
    ],
  ])(`${module('ensure-invalid-client-assertions-fail')} (%s)`, async (_, claims) => {
    expectClientRefused(await withAssertion(await fapi.assertion(claims())));
  });

  test(`${module('ensure-invalid-client-assertions-fail')} (form, signature)`, async () => {
    const { params } = await fapi.newRequest();
    const { clientId } = world.apps.keyed;
    expectClientRefused(await fapi.postBare('/oauth/par', { ...params, client_id: clientId }));
    const bare = { ...params, client_id: clientId, client_assertion: await fapi.assertion() };
    expectClientRefused(await fapi.postBare('/oauth/par', bare));
    expectClientRefused(await withAssertion(await fapi.assertion(), { client_assertion_type: 'wrong' }));
    expectClientRefused(await withAssertion(new UnsecuredJWT(decodeJwt(await fapi.assertion())).encode()));
    const [header, payload] = (await fapi.assertion()).split('.');
    const [, , signature] = (await fapi.assertion()).split('.');
    expectClientRefused(await withAssertion(`${header}.${payload}.${signature}`));
  });

  test(`${module('ensure-invalid-client-assertions-fail')} (iat and nbf 8 seconds ahead, and a valid one, are taken)`, async () => {
    const ahead = await fapi.assertion({ iat: now() + 8, nbf: now() + 8, exp: now() + 68 });
    expect((await withAssertion(ahead)).status).toBe(201);
    expect((await withAssertion(await fapi.assertion())).status).toBe(201);
  });

  const refreshed = (by: typeof fapi, token: unknown, headers?: Record<string, string>) =>
    by.redeem({ grant_type: 'refresh_token', refresh_token: String(token) }, headers);

  test(module('refresh-token'), async () => {
    const { body } = await fapi.redeem((await fapi.getCode()).form);
    expect(body['refresh_token']).toMatch(/^[\x20-\x7e]+$/);
    const first = await refreshed(fapi, body['refresh_token']);
    expect(first).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const token = String(first.body['access_token']);
    expect(token).not.toBe(body['access_token']);
    expect((await fapi.resource(token, await fapi.proofAtResource(token))).status).toBe(200);

    await pause(isWhole ? 30 : 1); // the answer was lost: the old one is sent again
    const again = await refreshed(fapi, body['refresh_token']);
    expect(again).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });

    const unproven = await refreshed(fapi, again.body['refresh_token'], {});
    expectRefused(unproven, 'invalid_request', 'invalid_grant', 'invalid_client');

    const others = await second.redeem((await second.getCode()).form);
    const taken = await refreshed(fapi, others.body['refresh_token']);
    expectRefused(taken, 'invalid_grant');
  }, 90_000);
});
