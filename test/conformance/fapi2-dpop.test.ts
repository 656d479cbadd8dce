import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDpopKey } from '../oauth/dpop-support.ts';
import { createFapiClient, expectRefused, type Members, module, now, PLAN } from './fapi2-client.ts';
import { startWorld, type World } from './world.ts';

/** OpenID Foundation, FAPI 2.0 Security Profile: access tokens that are bound to a key by DPoP. */
describe(PLAN, () => {
  let world: World;
  let fapi: Awaited<ReturnType<typeof createFapiClient>>;
  let token: string;

  beforeAll(async () => {
    world = await startWorld();
    fapi = await createFapiClient(world);
    token = await fapi.boundToken();
  }, 60_000);
  afterAll(() => world?.stop());

  test(module('ensure-holder-of-key-required'), async () => {
    const { form } = await fapi.getCode();
    const unproven = await fapi.redeem(form, {});
    expectRefused(unproven, 'invalid_request', 'invalid_grant', 'invalid_dpop_proof');
    expect((await fapi.resource(token, undefined)).status).toBe(401);
    const bearer = await fapi.resource(token, undefined, 'Bearer');
    expect(bearer.status).toBe(401);
    expect(bearer.headers.get('www-authenticate')).toMatch(/^DPoP /);
  });

  test(module('access-token-type-header-case-sensitivity'), async () => {
    const answer = await fapi.resource(token, await fapi.proofAtResource(token), 'dpOp');
    expect(answer.status).toBe(200);
  });

  const bothEnds = async (claims: Members): Promise<[number, number]> => {
    const { form } = await fapi.getCode();
    const redeemed = await fapi.redeem(form, await fapi.proofFor('/oauth/token', fapi.key, claims));
    return [redeemed.status, (await fapi.resource(token, await fapi.proofAtResource(token, claims))).status];
  };

  test(module('check-dpop-proof-nbf-exp'), async () => {
    expect(await bothEnds({ nbf: now(), exp: now() + 300 })).toEqual([200, 200]);
    expect(await bothEnds({ exp: now() - 60 })).toEqual([400, 401]);
    expect(await bothEnds({ nbf: now() + 120 })).toEqual([400, 401]);
  });

  test.each([
    ['before', -10],
    ['after', 10],
  ])(module('ensure-dpopproof-with-iat-10seconds-%s-succeeds'), async (_, seconds) => {
    expect(await bothEnds({ iat: now() + seconds })).toEqual([200, 200]);
  });

  test(module('ensure-dpop-auth-code-binding-success'), async () => {
    const { form } = await fapi.getCode({ dpop_jkt: fapi.key.jkt });
    expect(await fapi.redeem(form)).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test(module('ensure-dpopproof-at-par-endpoint-binding-success'), async () => {
    const { form } = await fapi.getCode({}, await fapi.proofFor('/oauth/par'));
    expect(await fapi.redeem(form)).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test(module('ensure-mismatched-dpop-jkt-fails'), async () => {
    const { jkt } = await createDpopKey();
    const answer = await fapi.push({ dpop_jkt: jkt }, await fapi.proofFor('/oauth/par'));
    expectRefused(answer, 'invalid_request', 'invalid_dpop_proof');
  });

  test.each([
    ['ensure-token-endpoint-fails-with-mismatched-dpop-jkt', 'dpop_jkt'],
    ['ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt', 'proof'],
  ])(module('%s'), async (_, boundBy) => {
    const { form } =
      boundBy === 'proof'
        ? await fapi.getCode({}, await fapi.proofFor('/oauth/par'))
        : await fapi.getCode({ dpop_jkt: fapi.key.jkt });
    const answer = await fapi.redeem(form, await fapi.proofFor('/oauth/token', await createDpopKey()));
    expectRefused(answer, 'invalid_grant', 'invalid_dpop_proof');
  });

  // Each is sent to the token endpoint, and to the resource.
  test.each<[string, Members, Members]>([
    ['no jti', { jti: undefined }, {}],
    ['no htm', { htm: undefined }, {}],
    ['wrong htm', { htm: 'PUT' }, {}],
    ['no htu', { htu: undefined }, {}],
    ['wrong htu', { htu: 'https://other.example/v1/me' }, {}],
    ['no iat', { iat: undefined }, {}],
    ['old iat', { iat: 1_600_000_000 }, {}],
    ['future iat', { iat: 4_000_000_000 }, {}],
    ['wrong typ', {}, { typ: 'JWT' }],
    ['no typ', {}, { typ: undefined }],
    ['no jwk', {}, { jwk: undefined }],
    ['symmetric jwk', {}, { jwk: { kty: 'oct', k: 'c2VjcmV0' } }],
    ['private jwk', {}, { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' } }],
  ])(`${module('dpop-negative-tests')} (%s)`, async (_, claims, header) => {
    const { form } = await fapi.getCode();
    const redeemed = await fapi.redeem(form, await fapi.proofFor('/oauth/token', fapi.key, claims, header));
    expectRefused(redeemed, 'invalid_dpop_proof', 'use_dpop_nonce');
    const answer = await fapi.resource(token, await fapi.proofAtResource(token, claims, header));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*algs="/);
  });

  test.each<[string, Members]>([
    ['no ath', { ath: undefined }],
    ['wrong ath', { ath: 'bm90LWl0' }],
  ])(`${module('dpop-negative-tests')} (%s)`, async (_, claims) => {
    const answer = await fapi.resource(token, await fapi.proofAtResource(token, claims));
    expect(answer.status).toBe(401);
  });

  test.each<[string, (proof: string, another: string) => string]>([
    ['alg none', (proof) => proof.replace(/^[^.]+/, encoded({ typ: 'dpop+jwt', alg: 'none' }))],
    ['no alg', (proof) => proof.replace(/^[^.]+/, encoded({ typ: 'dpop+jwt' }))],
    ['unsigned', (proof) => proof.replace(/[^.]+$/, '')],
    ['signature of another', (proof, another) => proof.replace(/[^.]+$/, another.split('.')[2] ?? '')],
    ['no JWT', () => 'a proof'],
  ])(`${module('dpop-negative-tests')} (%s)`, async (_, spoil) => {
    const [proof, another] = await Promise.all([fapi.proofAtResource(token), fapi.proofAtResource(token)]);
    expect((await fapi.resource(token, spoil(proof, another))).status).toBe(401);
    const [sent, other] = await Promise.all([fapi.proofFor('/oauth/token'), fapi.proofFor('/oauth/token')]);
    const { form } = await fapi.getCode();
    const redeemed = await fapi.redeem(form, { DPoP: spoil(sent.DPoP, other.DPoP) });
    expectRefused(redeemed, 'invalid_dpop_proof');
  });

  test(`${module('dpop-negative-tests')} (two proofs)`, async () => {
    const proofs = await Promise.all([fapi.proofAtResource(token), fapi.proofAtResource(token)]);
    const status = await new Promise((resolve, reject) => {
      const headers = ['Authorization', `DPoP ${token}`, 'DPoP', proofs[0], 'DPoP', proofs[1]];
      request(`${world.issuer}/v1/me`, { headers: ['Host', new URL(world.issuer).host, ...headers] })
        .on('response', (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(401);
  });

  test(`${module('dpop-negative-tests')} (used twice, another key)`, async () => {
    const proof = await fapi.proofAtResource(token);
    expect((await fapi.resource(token, proof)).status).toBe(200);
    expect((await fapi.resource(token, proof)).status).toBe(401);
    const others = await fapi.proofAtResource(token, {}, {}, await createDpopKey());
    expect((await fapi.resource(token, others)).status).toBe(401);
  });

  test(`${module('dpop-negative-tests')} (htu with a query, claims that mean nothing, are taken)`, async () => {
    const htu = `${world.issuer}/v1/me?a=b#c`;
    expect((await fapi.resource(token, await fapi.proofAtResource(token, { htu }))).status).toBe(200);
    const more = { sub: 'somebody', extra: { of: 'mine' } };
    expect((await fapi.resource(token, await fapi.proofAtResource(token, more))).status).toBe(200);
  });
});

const encoded = (header: object): string => Buffer.from(JSON.stringify(header)).toString('base64url');
