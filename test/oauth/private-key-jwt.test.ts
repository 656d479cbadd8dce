import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { me } from '../support/api.ts';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type Site, startSite } from '../support/site.ts';
import { tokenRequest } from './support.ts';

type Key = { jwk: JWK; kid: string; sign(payload: JWTPayload): Promise<string> };

async function newKey(alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return {
    kid,
    jwk: { ...(await exportJWK(publicKey)), kid, alg },
    sign: (payload) => new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey),
  };
}

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const claimsFor = (clientId: string, audience: string): JWTPayload => {
  const now = Math.floor(Date.now() / 1000);
  return { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat: now, exp: now + 60 };
};

describe('private_key_jwt', () => {
  let site: Site;
  let keys: HttpsServer;
  let key: Key;
  let fixed: Client;
  let rotating: Client;
  let served: JWK[];

  beforeAll(async () => {
    key = await newKey();
    keys = await startHttpsServer();
    site = await startSite({ NODE_EXTRA_CA_CERTS: keys.certificateFile }, async (services, made) => {
      const fields = { kind: 'service' as const };
      fixed = await addApp(services, made, { ...fields, jwks: { keys: [key.jwk as { kty: string }] } });
      rotating = await addApp(services, made, { ...fields, jwksUri: `${keys.url}/jwks` });
    });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await keys.close();
  });
  beforeEach(() => {
    keys.answer((_req, res) =>
      res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: served })),
    );
  });

  const ask = async (
    { clientId }: Client,
    by: Key,
    claims: Record<string, unknown> = {},
    form: Record<string, string> = {},
  ) =>
    tokenRequest(site, {
      grant_type: 'client_credentials',
      scope: 'prompts:read',
      client_assertion_type: TYPE,
      client_assertion: await by.sign({ ...claimsFor(clientId, site.server.url), ...claims }),
      ...form,
    });

  test('RFC 7523 §2.2: an app with keys has no secret, and gets a token by an assertion', async () => {
    expect(fixed.clientSecret).toBe('');
    const { status, body } = await ask(fixed, key);
    expect(status).toBe(200);
    expect(await me(site, body['access_token'] as string)).toMatchObject({
      body: { clientId: fixed.clientId },
    });
    expect((await ask(fixed, key, { aud: `${site.server.url}/oauth/token` })).status).toBe(200);
  });

  const seconds = (off: number) => Math.floor(Date.now() / 1000) + off;
  test.each<[string, () => Record<string, unknown>]>([
    ['is for another server', () => ({ aud: 'https://other.example' })],
    ['is of another issuer', () => ({ iss: 'app_other' })],
    ['has expired', () => ({ exp: seconds(-60) })],
    ['does not expire', () => ({ exp: undefined })],
    ['expires in two hours: it would have to be remembered for as long', () => ({ exp: seconds(7_200) })],
    ['has no jti', () => ({ jti: undefined })],
    ['is not valid yet', () => ({ nbf: seconds(120) })],
  ])('RFC 7523 §3: an assertion that %s is refused', async (_, claims) => {
    expect(await ask(fixed, key, claims())).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('an assertion of another key, of none or with the secret of another kind of app is refused', async () => {
    expect((await ask(fixed, await newKey())).status).toBe(401);
    const unsigned = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${btoa(JSON.stringify(claimsFor(fixed.clientId, site.server.url))).replaceAll('=', '')}.`;
    expect((await ask(fixed, key, {}, { client_assertion: unsigned })).status).toBeGreaterThanOrEqual(400);
    const secret = { grant_type: 'client_credentials', client_id: fixed.clientId, client_secret: 'secret_x' };
    expect((await tokenRequest(site, secret)).status).toBe(401);
  });

  test('single use: an assertion works once', async () => {
    const jti = randomUUID();
    expect((await ask(fixed, key, { jti })).status).toBe(200);
    expect(await ask(fixed, key, { jti })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('keys at a URL of the app rotate: a new one works at once, whoever it is asked by', async () => {
    const [first, second] = [await newKey(), await newKey('RS256')];
    served = [first.jwk];
    expect((await ask(rotating, first)).status).toBe(200);
    expect((await ask(rotating, first)).status).toBe(200);
    expect(keys.asked).toHaveLength(1); // known for a minute
    await new Promise((resolve) => setTimeout(resolve, 5_100)); // an unknown key is asked for again every five seconds at most
    served = [first.jwk, second.jwk];
    expect((await ask(rotating, second)).status).toBe(200);
    expect(keys.asked).toHaveLength(2);
    expect((await ask(rotating, await newKey())).status).toBe(401);
    expect(keys.asked).toHaveLength(2);
  }, 20_000);

  const call = async (body: object, method = 'POST', path = '/v1/apps') => {
    const { clientId, clientSecret } = site.made.apps.service;
    const { body: token } = await tokenRequest(site, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    const response = await fetch(new URL(path, site.server.url), {
      method,
      headers: {
        Authorization: `Bearer ${token['access_token'] as string}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const APP = { name: 'Keys', kind: 'service', environment: 'live', scopes: ['prompts:read'] };

  test('/v1/apps takes keys or their URL, gives such an app no secret, and its method follows from them', async () => {
    const { status, body } = await call({ ...APP, jwks: { keys: [key.jwk] } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      tokenEndpointAuthMethod: 'private_key_jwt',
      jwks: { keys: [{ kid: key.kid }] },
    });
    expect(body).not.toHaveProperty('clientSecret');
    const path = `/v1/apps/${String(body['id'])}`;
    const moved = await call({ jwks: null, jwksUri: 'https://app.example/jwks' }, 'PATCH', path);
    expect(moved.body).toMatchObject({ jwks: null, jwksUri: 'https://app.example/jwks' });
    const back = await call({ jwksUri: null }, 'PATCH', path);
    expect(back.body).toMatchObject({ tokenEndpointAuthMethod: 'client_secret_basic' });
  });

  test.each<[string, () => Promise<object>]>([
    [
      'a private key',
      async () => ({
        jwks: { keys: [await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)] },
      }),
    ],
    ['a secret', async () => ({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } })],
    ['half a key', async () => ({ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AAAA' }] } })],
    ['no key', async () => ({ jwks: { keys: [] } })],
    ['both', async () => ({ jwks: { keys: [key.jwk] }, jwksUri: 'https://app.example/jwks' })],
    ['plain HTTP', async () => ({ jwksUri: 'http://app.example/jwks' })],
    [
      'a public app',
      async () => ({ kind: 'spa', redirectUris: ['https://app.example/cb'], jwks: { keys: [key.jwk] } }),
    ],
  ])('/v1/apps refuses %s', async (_, make) => {
    expect(await call({ ...APP, ...(await make()) })).toMatchObject({
      status: 422,
      body: { code: 'validation_failed' },
    });
  });
});

describeWith('postgresql', 'Assertions on two servers', () => {
  let site: TwoNodes<{ app: Client; key: Key }>;

  beforeAll(async () => {
    site = await startTwoNodes(async (services, made) => {
      const key = await newKey();
      const jwks = { keys: [key.jwk as { kty: string }] };
      return { key, app: await addApp(services, made, { kind: 'service', jwks }) };
    });
  }, 90_000);
  afterAll(() => site?.stop());

  test('single use under race: of 50 uses of one assertion at once, on two nodes, exactly one is answered', async () => {
    const { app, key } = site.extra;
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: TYPE,
      client_assertion: await key.sign(claimsFor(app.clientId, site.server.url)),
    };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        requestAt(site.nodes[i % 2] as ServerProcess, '/oauth/token', { form }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
  }, 60_000);
});
