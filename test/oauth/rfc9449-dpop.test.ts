import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { describeWith } from '../support/needs.ts';
import { requestAt, send } from '../support/node-request.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { authorizationUrl, authorize, claimsOf, pkce, type Site, startSite } from '../support/site.ts';
import { createDpopKey, type DpopKey } from './dpop-support.ts';
import { refreshForm, tokenRequest } from './support.ts';

let key: DpopKey;
beforeAll(async () => {
  key = await createDpopKey();
});

/** A request with exactly these headers, to that node. */
async function callApi(
  node: Pick<ServerProcess, 'port' | 'url'>,
  sent: Record<string, string | string[]>,
  path = '/v1/me',
  method = 'GET',
) {
  const { status, headers, body } = await send(node, path, sent, { method });
  return {
    status,
    challenge: headers['www-authenticate'] ?? '',
    nonce: headers['dpop-nonce'] as string | undefined,
    body: JSON.parse(body) as Record<string, unknown>,
  };
}

/** A token of the demo service that is bound to the key. */
async function boundToken(site: Pick<Site, 'server' | 'made'>, by = key): Promise<string> {
  const { clientId, clientSecret } = site.made.apps.service;
  const url = `${site.server.url}/oauth/token`;
  const { status, body } = await tokenRequest(
    site,
    {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'prompts:read',
    },
    { DPoP: await by.prove({ method: 'POST', url }) },
  );
  expect({ status, type: body['token_type'] }).toEqual({ status: 200, type: 'DPoP' });
  return body['access_token'] as string;
}

describe('DPoP', () => {
  let site: Site;
  let token: string;
  const me = () => `${site.server.url}/v1/me`;
  const proof = (claims = {}, header = {}, by = key) =>
    by.prove({ method: 'GET', url: me(), accessToken: token }, claims, header);
  const call = (headers: Record<string, string | string[]>, path?: string) =>
    callApi(site.server, headers, path);
  const withProof = async (sent: string | Promise<string>) =>
    call({ Authorization: `DPoP ${token}`, DPoP: await sent });

  beforeAll(async () => {
    site = await startSite();
    token = await boundToken(site);
  }, 60_000);
  afterAll(() => site.stop());

  test('§5 and §6.1: the token names the key in cnf.jkt, and works at /v1 with a proof of it', async () => {
    expect(claimsOf(token)).toMatchObject({ cnf: { jkt: key.jkt } });
    const answer = await withProof(proof());
    expect(answer).toMatchObject({ status: 200, body: { method: 'client_credentials' } });
  });

  test.each(['ES256', 'EdDSA', 'PS256'])('keys for %s', async (alg) => {
    const other = await createDpopKey(alg);
    const accessToken = await boundToken(site, other);
    const sent = await other.prove({ method: 'GET', url: me(), accessToken });
    expect((await call({ Authorization: `DPoP ${accessToken}`, DPoP: sent })).status).toBe(200);
  });

  test('§7.2: a bound token that comes as Bearer is refused, with a DPoP challenge, also beside a proof', async () => {
    for (const headers of [{}, { DPoP: await proof() }]) {
      const answer = await call({ Authorization: `Bearer ${token}`, ...headers });
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credential' } });
      expect(answer.challenge).toMatch(/^DPoP error="invalid_token".*algs="ES256 /);
    }
  });

  test('§7.1: a token without a key and an API key are refused with the scheme DPoP', async () => {
    const { clientId, clientSecret } = site.made.apps.service;
    const { body } = await tokenRequest(site, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    for (const accessToken of [body['access_token'] as string, site.made.apiKeys.live]) {
      const sent = await key.prove({ method: 'GET', url: me(), accessToken });
      expect(await call({ Authorization: `DPoP ${accessToken}`, DPoP: sent })).toMatchObject({ status: 401 });
      expect(await call({ Authorization: `Bearer ${accessToken}` })).toMatchObject({ status: 200 });
    }
  });

  const seconds = () => Math.floor(Date.now() / 1000);
  test.each<[string, () => Promise<string>]>([
    ['is for another method', () => proof({ htm: 'POST' })],
    ['is for another URL', () => proof({ htu: `${site.server.url}/v1/prompts` })],
    ['is for another host', () => proof({ htu: 'https://evil.example/v1/me' })],
    ['is for another token', () => proof({ ath: 'x'.repeat(43) })],
    ['has no ath', () => proof({ ath: undefined })],
    ['has no jti', () => proof({ jti: undefined })],
    ['has no htm', () => proof({ htm: undefined })],
    ['has no htu', () => proof({ htu: undefined })],
    ['has no iat', () => proof({ iat: undefined })],
    ['has another typ', () => proof({}, { typ: 'JWT' })],
    [
      'is signed by another key than it carries',
      async () => proof({}, { jwk: (await createDpopKey()).publicJwk }),
    ],
    ['is signed with a secret', async () => `${btoa('{"alg":"HS256","typ":"dpop+jwt"}')}.e30.AAAA`],
    ['is not signed', async () => `${btoa('{"alg":"none","typ":"dpop+jwt"}').replaceAll('=', '')}.e30.`],
    [
      'carries its private key',
      async () => {
        const { privateKey } = await generateKeyPair('ES256', { extractable: true });
        return proof({}, { jwk: await exportJWK(privateKey) });
      },
    ],
    ['is no JWT', async () => 'nonsense'],
    ['is empty', async () => ''],
  ])('§4.3: a proof that %s is refused', async (_, make) => {
    const answer = await withProof(make());
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credential' } });
    expect(answer.challenge).toMatch(/^DPoP error="invalid_dpop_proof"/);
  });

  test('§4.3: query and fragment of htu do not count, and its spelling is normalized', async () => {
    const { port } = site.server;
    for (const htu of [`${me()}?x=1#y`, `HTTP://LOCALHOST:${port}/v1/./me`]) {
      expect((await withProof(proof({ htu }))).status).toBe(200);
    }
  });

  test('§4.3: no DPoP header, or two, are refused', async () => {
    const none = await call({ Authorization: `DPoP ${token}` });
    expect(none.challenge).toMatch(/^DPoP error="invalid_dpop_proof"/);
    const two = await call({ Authorization: `DPoP ${token}`, DPoP: [await proof(), await proof()] });
    expect(two.status).toBe(401);
  });

  test('§7.1: a proof of another key than the bound one is refused', async () => {
    const answer = await withProof(proof({}, {}, await createDpopKey()));
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.challenge).toMatch(/^DPoP error="invalid_token"/);
  });

  test('§11.1: a proof works once', async () => {
    const sent = await proof();
    expect((await withProof(sent)).status).toBe(200);
    expect(await withProof(sent)).toMatchObject({ status: 401, body: { dpopError: 'invalid_dpop_proof' } });
  });

  test.each([-301, 301])(
    '§8 and §9: a proof made %i s away is asked for again with a nonce, and taken with it',
    async (off) => {
      const stale = await withProof(proof({ iat: seconds() + off }));
      expect(stale.challenge).toMatch(/^DPoP error="use_dpop_nonce"/);
      expect(stale.nonce).toBeTruthy();
      expect((await withProof(proof({ iat: seconds() + off, nonce: stale.nonce }))).status).toBe(200);
    },
  );

  test('§9: a nonce that is not ours is refused with a new one', async () => {
    const answer = await withProof(proof({ nonce: 'mine' }));
    expect(answer.challenge).toMatch(/^DPoP error="use_dpop_nonce"/);
    expect(answer.nonce).toBeTruthy();
  });

  test('§8.2: the token endpoint and the API take the same nonces, since clients keep one an origin', async () => {
    const { nonce } = await withProof(proof({ nonce: 'mine' }));
    const { clientId, clientSecret } = site.made.apps.service;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const atToken = (claims: Record<string, unknown>) =>
      key.prove({ method: 'POST', url: `${site.server.url}/oauth/token` }, claims);
    expect((await tokenRequest(site, form, { DPoP: await atToken({ nonce }) })).status).toBe(200);
    const refused = await tokenRequest(site, form, { DPoP: await atToken({ nonce: 'mine' }) });
    expect(refused).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    const sent = proof({ nonce: refused.headers.get('dpop-nonce') });
    expect((await withProof(sent)).status).toBe(200);
  });

  test('RFC 9110 §11.6.1: who presents nothing is told of both schemes', async () => {
    const { challenge } = await call({});
    expect(challenge).toMatch(/^Bearer resource_metadata="[^"]+", DPoP algs="ES256 Ed25519 EdDSA PS256"$/);
  });

  test('§5 and §10: code and refresh token of a public app are bound; the new pair needs the same key', async () => {
    const { spa } = site.made.apps;
    const app = { ...spa, clientSecret: '' };
    const url = `${site.server.url}/oauth/token`;
    const by = async (who: DpopKey) => ({ DPoP: await who.prove({ method: 'POST', url }) });
    const redemption = async () => {
      const { verifier, challenge } = pkce();
      const request = { client_id: spa.clientId, redirect_uri: spa.redirectUris[0], dpop_jkt: key.jkt };
      const callback = await authorize(site, authorizationUrl(site, challenge, request));
      return {
        grant_type: 'authorization_code',
        client_id: spa.clientId,
        redirect_uri: spa.redirectUris[0] as string,
        code: callback.searchParams.get('code') ?? '',
        code_verifier: verifier,
      };
    };
    const stranger = await createDpopKey();
    expect((await tokenRequest(site, await redemption(), await by(stranger))).status).toBe(400);
    const { body } = await tokenRequest(site, await redemption(), await by(key));
    expect(body['token_type']).toBe('DPoP');
    const refresh = refreshForm(app, body['refresh_token'] as string);
    expect((await tokenRequest(site, refresh)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await tokenRequest(site, refresh, await by(stranger))).status).toBe(400);
    expect(await tokenRequest(site, refresh, await by(key))).toMatchObject({
      status: 200,
      body: { token_type: 'DPoP' },
    });
  });

  test('openid-client gets a bound token and calls the API with it', async () => {
    const { service } = site.made.apps;
    const config = await client.discovery(
      new URL(site.server.url),
      service.clientId,
      service.clientSecret,
      undefined,
      {
        execute: [client.allowInsecureRequests],
      },
    );
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
    const tokens = await client.clientCredentialsGrant(config, { scope: 'prompts:read' }, { DPoP });
    const answer = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      new URL(me()),
      'GET',
      null,
      undefined,
      { DPoP },
    );
    expect(answer.status).toBe(200);
    expect(claimsOf(tokens.access_token)['cnf']).toEqual({ jkt: await DPoP.calculateThumbprint() });
    expect(await calculateJwkThumbprint(key.publicJwk)).toBe(key.jkt);
  });
});

describe('With DPOP_NONCES=required', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ DPOP_NONCES: 'required' });
  }, 60_000);
  afterAll(() => site.stop());

  test('§8 and §9: openid-client, which makes its proofs again with the nonce, gets on', async () => {
    const { service } = site.made.apps;
    const nonces: (string | null)[] = [];
    const config = await client.discovery(
      new URL(site.server.url),
      service.clientId,
      service.clientSecret,
      undefined,
      {
        execute: [client.allowInsecureRequests],
        [client.customFetch]: async (url, options) => {
          const answer = await fetch(url, options as RequestInit);
          if (answer.status >= 400) nonces.push(answer.headers.get('dpop-nonce'));
          return answer;
        },
      },
    );
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
    const tokens = await client.clientCredentialsGrant(config, {}, { DPoP });
    expect(nonces).toEqual([expect.any(String)]);
    const url = new URL('/v1/me', site.server.url);
    const answer = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      url,
      'GET',
      null,
      undefined,
      { DPoP },
    );
    expect(answer.status).toBe(200);
  });
});

describeWith('postgresql', 'DPoP proofs on two servers', () => {
  let site: TwoNodes<undefined>;

  beforeAll(async () => {
    site = await startTwoNodes(async () => undefined);
  }, 90_000);
  afterAll(() => site?.stop());

  test('single use under race: of 50 uses of one proof at once, on two nodes, exactly one is answered', async () => {
    const token = await boundToken(site);
    const sent = await key.prove({ method: 'GET', url: `${site.server.url}/v1/me`, accessToken: token });
    const headers = { Authorization: `DPoP ${token}`, DPoP: sent };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => callApi(site.nodes[i % 2] as ServerProcess, headers)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
  }, 60_000);

  test('single use under race: the same at the token endpoint', async () => {
    const { clientId, clientSecret } = site.made.apps.service;
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    };
    const sent = await key.prove({ method: 'POST', url: `${site.server.url}/oauth/token` });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        requestAt(site.nodes[i % 2] as ServerProcess, '/oauth/token', { form, headers: { DPoP: sent } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
  }, 60_000);
});
