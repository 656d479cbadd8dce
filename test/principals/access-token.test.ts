import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';
import { grantMark } from '../../src/kernel/grant-mark.ts';
import { createAccessTokenJudge, createAccessTokenResolver } from '../../src/principals/access-token.ts';
import type { AppStanding, Standings, UserStanding } from '../../src/principals/standing.ts';
import { ALLOWANCE } from '../support/limits.ts';

const API = 'https://api.example.com';
const NOW = new Date('2026-01-15T10:30:00Z');
const now = NOW.getTime() / 1000;

const CLAIMS = {
  iss: API,
  sub: 'usr_1',
  aud: 'app_1',
  client_id: 'app_1',
  org_id: 'org_1',
  jti: `jti-1.${grantMark('grant-1')}`,
  scope: 'prompts:read prompts:write',
  iat: now - 60,
  exp: now + 3540,
};
const HEADER = { alg: 'RS256', typ: 'JWT', kid: 'k1' };

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let keys: JSONWebKeySet;
let signingKey: Key;
let publicKey: KeyObject;
let strangerKey: Key;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  signingKey = pair.privateKey;
  const jwk = await exportJWK(pair.publicKey);
  publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  keys = { keys: [{ ...jwk, kid: 'k1', alg: 'RS256', use: 'sig' }] };
  strangerKey = (await generateKeyPair('RS256')).privateKey;
});

const USER: UserStanding = {
  environment: 'live',
  appScopes: ['prompts:read', 'prompts:write'],
  userActive: true,
  role: 'owner',
  grantId: 'grant-1',
  revoked: false,
  allowance: ALLOWANCE,
};
const APP: AppStanding = {
  environment: 'test',
  appScopes: ['prompts:read'],
  organizationId: 'org_1',
  revoked: false,
  allowance: ALLOWANCE,
};

type World = { user?: UserStanding | undefined; app?: AppStanding | undefined; path?: string };

async function outcome(token: string, world: World = {}) {
  const standings: Standings = {
    ofUser: async () => ('user' in world ? world.user : USER),
    ofApp: async () => ('app' in world ? world.app : APP),
  };
  const clock = () => NOW;
  const judge = createAccessTokenJudge({ apiUrl: API, keys: () => keys, standings, clock });
  const resolve = createAccessTokenResolver({ apiUrl: API, judge, clock });
  const presented = { credential: token, path: world.path ?? '/v1/prompts', ip: '192.0.2.1' };
  const proof = await resolve(presented);
  const refusal = proof.kind === 'proven' ? proof.admits?.(presented) : undefined;
  const resolution = refusal ? { kind: 'bad' as const, error: refusal } : proof;
  return resolution.kind === 'bad'
    ? resolution.error.code
    : resolution.kind === 'proven'
      ? resolution.principal
      : 'absent';
}

const sign = (claims: JWTPayload = {}, header: Record<string, unknown> = {}, key = signingKey) =>
  new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ ...HEADER, ...header }).sign(key);

const without = (claim: keyof typeof CLAIMS) => {
  const { [claim]: _, ...rest } = CLAIMS;
  return new SignJWT(rest).setProtectedHeader(HEADER).sign(signingKey);
};

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of ours', () => {
  test('proves the person for whom the app acts', async () => {
    expect(await outcome(await sign())).toEqual({
      method: 'oauth_user',
      id: 'usr_1',
      organizationId: 'org_1',
      userId: 'usr_1',
      clientId: 'app_1',
      environment: 'live',
      scopes: ['prompts:read', 'prompts:write'],
      allowance: ALLOWANCE,
    });
  });

  test('whose subject is the app itself proves the app', async () => {
    expect(await outcome(await sign({ sub: 'app_1' }))).toEqual({
      method: 'client_credentials',
      id: 'app_1',
      organizationId: 'org_1',
      clientId: 'app_1',
      environment: 'test',
      scopes: ['prompts:read'],
      allowance: ALLOWANCE,
    });
  });

  test('with scopes that are not of the API holds the others', async () => {
    expect(await outcome(await sign({ scope: 'openid prompts:read nonsense' }))).toMatchObject({
      scopes: ['prompts:read'],
    });
  });

  test.each(['pr_live_x', 'rt_x', 'a.b', 'a.b.c.d', 'opaque'])(
    '%s is none of its business',
    async (credential) => {
      expect(await outcome(credential)).toBe('absent');
    },
  );
});

describe('RFC 8725: what a forger may try', () => {
  test.each(['none', 'None', 'NONE', 'nOnE'])('alg %s', async (alg) => {
    expect(await outcome(`${encode({ ...HEADER, alg })}.${encode(CLAIMS)}.`)).toBe('invalid_credential');
  });

  test('HS256 with the public key as the secret', async () => {
    const input = `${encode({ ...HEADER, alg: 'HS256' })}.${encode(CLAIMS)}`;
    for (const secret of [publicKey.export({ type: 'spki', format: 'pem' }), JSON.stringify(keys.keys[0])]) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url');
      expect(await outcome(`${input}.${signature}`)).toBe('invalid_credential');
    }
  });

  test.each(['ES256', 'EdDSA'])(
    '%s by a key of ours that is for it is taken, under its own name alone',
    async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      const published = { ...(await exportJWK(pair.publicKey)), kid: 'k2', alg, use: 'sig' };
      const before = keys;
      keys = { keys: [...before.keys, published] };
      try {
        expect(await outcome(await sign({}, { alg, kid: 'k2' }, pair.privateKey))).toMatchObject({
          id: 'usr_1',
        });
        expect(await outcome(await sign({}, { alg, kid: 'k1' }, pair.privateKey))).toBe('invalid_credential');
        expect(await outcome(await sign({}, { kid: 'k2' }))).toBe('invalid_credential');
      } finally {
        keys = before;
      }
    },
  );

  test.each(['PS256', 'RS384', 'RS512'])('%s, which the key could do too', async (alg) => {
    const signed = await sign();
    const [, payload, signature] = signed.split('.');
    expect(await outcome(`${encode({ ...HEADER, alg })}.${payload}.${signature}`)).toBe('invalid_credential');
  });

  test("a stranger's signature, under our key's name", async () => {
    expect(await outcome(await sign({}, {}, strangerKey))).toBe('invalid_credential');
  });

  test.each(['unknown', '', '../../dev/null', "k1' OR '1'='1", 'https://evil.example/key'])(
    'kid %j',
    async (kid) => {
      expect(await outcome(await sign({}, { kid }, strangerKey))).toBe('invalid_credential');
      expect(await outcome(await sign({}, { kid }))).toBe('invalid_credential');
    },
  );

  test('no kid', async () => {
    const { kid: _, ...header } = HEADER;
    expect(await outcome(await new SignJWT(CLAIMS).setProtectedHeader(header).sign(signingKey))).toBe(
      'invalid_credential',
    );
  });

  test('a key of its own in jwk, jku, x5u or x5c', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    for (const extra of [
      { jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/x' },
      { x5c: ['MII'] },
    ]) {
      expect(await outcome(await sign({}, extra, pair.privateKey))).toBe('invalid_credential');
      expect(await outcome(await sign({}, extra))).toBe('invalid_credential');
    }
  });

  test('crit and b64 (RFC 7515 §4.1.11, RFC 7797)', async () => {
    const [, payload, signature] = (await sign()).split('.');
    for (const extra of [
      { crit: ['exp'] },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { crit: ['x'], x: 1 },
    ]) {
      expect(await outcome(`${encode({ ...HEADER, ...extra })}.${payload}.${signature}`)).toBe(
        'invalid_credential',
      );
    }
  });

  test.each(['at+jwt', 'dpop+jwt', 'application/jwt', 'logout+jwt', undefined])('typ %s', async (typ) => {
    expect(await outcome(await sign({}, { typ }))).toBe('invalid_credential');
  });

  test('a changed payload', async () => {
    const [header, , signature] = (await sign()).split('.');
    expect(await outcome(`${header}.${encode({ ...CLAIMS, org_id: 'org_2' })}.${signature}`)).toBe(
      'invalid_credential',
    );
  });

  test.each(['..', 'x.y.z', 'eyJ.e30.x', `${encode({ alg: 'RS256' })}.bm90IGpzb24.x`])(
    'nonsense: %s',
    async (token) => {
      expect(await outcome(token)).toMatch(/invalid_credential|absent/);
    },
  );
});

describe('claims', () => {
  test.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['our issuer with a slash', { iss: `${API}/` }],
    ['another client as audience', { aud: 'app_2' }],
    ['another resource', { aud: 'https://other.example/v1' }],
    ['a resource that begins like ours', { aud: `${API}.evil.example/v1` }],
    ['a path that begins like ours', { aud: `${API}/v10` }],
    ['several audiences', { aud: ['app_1', 'app_2'] }],
    ['an empty audience', { aud: '' }],
    ['an exp that is a text', { exp: String(now + 60) as never }],
    ['an exp that is no number', { exp: null as never }],
    ['a life of a day', { exp: now + 86_400 }],
    ['an exp in the year 9999', { exp: 253_370_764_800 }],
    ['an iat in the future', { iat: now + 60 }],
    ['an nbf in the future', { nbf: now + 60 }],
    ['an empty subject', { sub: '' }],
    ['a scope that is a list', { scope: ['prompts:read'] as never }],
    ['an org_id that is an object', { org_id: { $ne: '' } as never }],
  ])('%s is refused', async (_name, claims) => {
    expect(await outcome(await sign(claims))).toBe('invalid_credential');
  });

  test.each(Object.keys(CLAIMS) as (keyof typeof CLAIMS)[])('none may be missing: %s', async (claim) => {
    expect(await outcome(await without(claim))).toBe('invalid_credential');
  });

  test('an id_token is no access token', async () => {
    const { iss, sub, aud, iat, exp } = CLAIMS;
    const idToken = new SignJWT({ iss, sub, aud, iat, exp, auth_time: iat, nonce: 'n', at_hash: 'h' });
    expect(await outcome(await idToken.setProtectedHeader(HEADER).sign(signingKey))).toBe(
      'invalid_credential',
    );
  });

  test('past its exp it is credential_expired, but only with a good signature', async () => {
    const past = { iat: now - 3700, exp: now - 100 };
    expect(await outcome(await sign(past))).toBe('credential_expired');
    expect(await outcome(await sign(past, {}, strangerKey))).toBe('invalid_credential');
    expect(await outcome(await sign({ ...past, iss: 'https://evil.example' }))).toBe('invalid_credential');
  });

  test('clocks may differ by a few seconds', async () => {
    expect(await outcome(await sign({ iat: now + 3, exp: now + 3603 }))).toMatchObject({
      method: 'oauth_user',
    });
    expect(await outcome(await sign({ iat: now - 3602, exp: now - 2 }))).toMatchObject({
      method: 'oauth_user',
    });
  });
});

describe('RFC 8707: a token for one resource', () => {
  test.each([
    [API, '/v1/prompts', true],
    [`${API}/v1`, '/v1/prompts', true],
    [`${API}/v1`, '/v1', true],
    [`${API}/v1/prompts`, '/v1/prompts', true],
    [`${API}/v1/prompts`, '/v1/prompts/prm_1/versions', true],
    [`${API}/v1/prompts/`, '/v1/prompts/prm_1', true],
    [`${API}/v1/prompts`, '/v1/reports', false],
    [`${API}/v1/prompts`, '/v1/prompts2', false],
    [`${API}/v1/prompts/prm_1`, '/v1/prompts', false],
    [`${API}/gateway`, '/gateway/authorize', false],
  ])('for %s at %s is good: %s', async (aud, path, good) => {
    expect(await outcome(await sign({ aud }), { path })).toEqual(
      good ? expect.anything() : 'invalid_credential',
    );
    if (good) expect(await outcome(await sign({ aud }), { path })).toMatchObject({ method: 'oauth_user' });
  });
});

describe('standing: what a token rests on', () => {
  test.each([
    ['the app is gone', undefined],
    ['the person is deactivated', { ...USER, userActive: false }],
    ['the person left the organization', { ...USER, role: undefined }],
    ['consent was withdrawn', { ...USER, grantId: undefined }],
    ['consent was withdrawn and given again, in the same second', { ...USER, grantId: 'grant-2' }],
    ['the token was revoked, or the key that signed it dropped', { ...USER, revoked: true }],
  ])('%s: credential_revoked', async (_name, user) => {
    expect(await outcome(await sign(), { user })).toBe('credential_revoked');
  });

  test("the person's role caps what it may do", async () => {
    expect(await outcome(await sign(), { user: { ...USER, role: 'viewer' } })).toMatchObject({
      scopes: ['prompts:read'],
    });
  });

  test("so does the app's registration", async () => {
    expect(await outcome(await sign(), { user: { ...USER, appScopes: [] } })).toMatchObject({ scopes: [] });
  });

  test.each([
    ['the app is gone', undefined],
    ['the app is of another organization', { ...APP, organizationId: 'org_2' }],
    ['the token was revoked, or the key that signed it dropped', { ...APP, revoked: true }],
  ])('client credentials, %s: credential_revoked', async (_name, app) => {
    expect(await outcome(await sign({ sub: 'app_1' }), { app })).toBe('credential_revoked');
  });

  test('the environment is the one of the app, whatever the token says', async () => {
    expect(await outcome(await sign({ env: 'test' }))).toMatchObject({ environment: 'live' });
  });
});
