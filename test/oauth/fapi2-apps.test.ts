import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { callApi, ownToken } from '../support/api.ts';
import { type Site, startSite } from '../support/site.ts';
import { createDpopKey, type DpopKey } from './dpop-support.ts';
import { tokenRequest } from './support.ts';

const SERVICE = { name: 'Bound', kind: 'service', environment: 'live', scopes: ['prompts:read'] };

/** What the profile asks of web apps and their requests is in test/conformance. */
describe('Apps of the security profile fapi2', () => {
  let site: Site;
  let admin: string;
  let privateKey: CryptoKey;
  let jwks: { keys: object[] };
  let dpop: DpopKey;

  beforeAll(async () => {
    site = await startSite();
    admin = await ownToken(site, site.made.apps.service);
    const pair = await generateKeyPair('ES256', { extractable: true });
    privateKey = pair.privateKey;
    jwks = { keys: [await exportJWK(pair.publicKey)] };
    dpop = await createDpopKey();
  }, 60_000);
  afterAll(() => site?.stop());

  const create = (fields: object) => callApi(site, admin, 'POST', '/v1/apps', { ...SERVICE, ...fields });
  const change = (id: unknown, fields: object) =>
    callApi(site, admin, 'PATCH', `/v1/apps/${String(id)}`, fields);

  /** A token for itself. `aud`: whom its assertion is for. */
  const ask = async (id: unknown, { aud = site.server.url, proven = true } = {}) => {
    const claims = { iss: String(id), sub: String(id), aud, jti: randomUUID() };
    const assertion = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt()
      .setExpirationTime('1 minute')
      .sign(privateKey);
    const url = `${site.server.url}/oauth/token`;
    return tokenRequest(
      site,
      {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      },
      proven ? { DPoP: await dpop.prove({ method: 'POST', url }) } : {},
    );
  };

  test('have keys, and PKCE: it is refused to others, at first and later', async () => {
    for (const fields of [{}, { kind: 'spa', redirectUris: ['https://app.example/cb'] }]) {
      const { status, body } = await create({ ...fields, securityProfile: 'fapi2' });
      expect({ status, body }).toMatchObject({
        status: 422,
        body: { errors: [{ path: 'securityProfile' }] },
      });
    }
    const web = { kind: 'web', redirectUris: ['https://app.example/cb'], requirePkce: false, jwks };
    expect((await create({ ...web, securityProfile: 'fapi2' })).status).toBe(422);
    expect((await create({ jwks, securityProfile: 'fapi3' })).status).toBe(422);
    const { body } = await create({ jwks, securityProfile: 'fapi2' });
    expect(body).toMatchObject({ securityProfile: 'fapi2', tokenEndpointAuthMethod: 'private_key_jwt' });
    expect((await change(body['id'], { jwks: null })).status).toBe(422);
  });

  test('get tokens that are bound to a key, and none without a proof; by an assertion for the issuer alone', async () => {
    const { body } = await create({ jwks, securityProfile: 'fapi2' });
    expect(await ask(body['id'])).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect((await ask(body['id'], { proven: false })).status).toBe(400);
    expect(await ask(body['id'], { aud: `${site.server.url}/oauth/token` })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  test('can be made of others, and others of them', async () => {
    const { body } = await create({ jwks });
    expect(body['securityProfile']).toBe('standard');
    const loose = { aud: `${site.server.url}/oauth/token`, proven: false };
    expect(await ask(body['id'], loose)).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect((await change(body['id'], { securityProfile: 'fapi2' })).body['securityProfile']).toBe('fapi2');
    expect((await ask(body['id'], loose)).status).toBe(401);
    expect((await change(body['id'], { securityProfile: 'standard' })).status).toBe(200);
    expect((await ask(body['id'], loose)).status).toBe(200);
  });
});
