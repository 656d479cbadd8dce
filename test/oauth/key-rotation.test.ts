import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../config/signing-algorithms.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { credentialsOf, getTokens, refreshForm } from './support.ts';

const JWKS_CACHE_SECONDS = 2;

/** Apps that act for themselves, one for each algorithm. */
type Apps = Record<SigningAlgorithm, Client>;

describeWith('postgresql', 'Signing keys, over two processes', () => {
  let site: TwoNodes<Apps>;

  beforeAll(async () => {
    site = await startTwoNodes(
      async (services, made) => {
        const entries: [SigningAlgorithm, Client][] = [];
        for (const tokenSigningAlg of SIGNING_ALGORITHMS) {
          entries.push([tokenSigningAlg, await addApp(services, made, { kind: 'service', tokenSigningAlg })]);
        }
        return Object.fromEntries(entries) as Apps;
      },
      { JWKS_CACHE_SECONDS: String(JWKS_CACHE_SECONDS), CREDENTIAL_CACHE_SECONDS: '3600' },
    );
  }, 60_000);
  afterAll(() => site?.stop());

  let turn = 0;
  /** The processes in turn, as a load balancer does. */
  const node = (): ServerProcess => {
    turn += 1;
    return site.nodes[turn % site.nodes.length] as ServerProcess;
  };

  const jwks = async () =>
    (await requestAt(node(), '/.well-known/jwks.json')).body as { keys: { kid: string; alg: string }[] };

  async function issue(algorithm: SigningAlgorithm): Promise<string> {
    const form = { grant_type: 'client_credentials', ...credentialsOf(site.extra[algorithm]) };
    const { status, body } = await requestAt(node(), '/oauth/token', { form });
    if (status !== 200) throw new Error(`token request: ${status} ${JSON.stringify(body)}`);
    return String(body['access_token']);
  }

  /** A validator that keeps the JWKS for as long as it may, and fails at a key that it doesn't know: it doesn't ask again. */
  const strictJose = () => {
    const getKey = createRemoteJWKSet(new URL('/.well-known/jwks.json', site.server.url), {
      cacheMaxAge: JWKS_CACHE_SECONDS * 1000,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [customFetch]: async () => Response.json(await jwks()),
    });
    return async (token: string) => {
      await jwtVerify(token, getKey, { issuer: site.server.url });
    };
  };

  /** As on the customer's page. */
  const customers = async () => {
    const { default: jwksRsa } = await import('jwks-rsa'); // it requires jose, which Jest can't do while that is loading
    const client = jwksRsa({
      jwksUri: new URL('/.well-known/jwks.json', site.server.url).href,
      cache: true,
      cacheMaxAge: JWKS_CACHE_SECONDS * 1000,
    });
    return (token: string): Promise<void> =>
      new Promise((resolve, reject) => {
        jsonwebtoken.verify(
          token,
          (header, done) => {
            client.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey()));
          },
          { algorithms: ['RS256'], issuer: site.server.url },
          (error) => (error ? reject(error) : resolve()),
        );
      });
  };

  const kidOf = (token: string): string =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  async function until<T>(read: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const value = await read();
      if (is(value)) return value;
      if (Date.now() > deadline) throw new Error(`never came true: ${JSON.stringify(value)}`);
      await pause(100);
    }
  }

  const currentKid = async (algorithm: SigningAlgorithm): Promise<string | undefined> =>
    (await site.services.signingKeys.list()).find(
      (key) => key.algorithm === algorithm && key.status === 'current',
    )?.kid;

  test('an app’s tokens are signed as it chose, verified at /v1, and its keys are in the JWKS and the metadata', async () => {
    for (const algorithm of SIGNING_ALGORITHMS) {
      const token = await issue(algorithm);
      const { keys } = await jwks();
      expect(keys.find(({ kid }) => kid === kidOf(token))?.alg).toBe(algorithm);
      await strictJose()(token);
      expect((await requestAt(node(), '/v1/me', { credential: token })).status).toBe(200);
    }
    const { body } = await requestAt(node(), '/.well-known/openid-configuration');
    expect(body['id_token_signing_alg_values_supported']).toEqual(
      expect.arrayContaining([...SIGNING_ALGORITHMS]),
    );
    const client = await addApp(site.services, site.made, { tokenSigningAlg: 'ES256' });
    const { id_token: idToken = '' } = await getTokens(site, {
      client,
      params: { scope: 'openid prompts:read' },
    });
    expect(JSON.parse(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'ES256',
    });
  }, 20_000);

  test('a rotation under a load of token requests, refreshes and verifications fails none of them', async () => {
    const failures: string[] = [];
    const issued = new Set<string>();
    const before = await Promise.all(SIGNING_ALGORITHMS.map(currentKid));
    const [early] = await Promise.all([issue('RS256'), until(jwks, ({ keys }) => keys.length >= 6)]);
    const openid = { params: { scope: 'openid prompts:read' } };
    const { refresh_token: first = '' } = await getTokens(site, openid);
    const hint = (await getTokens(site, openid)).id_token ?? '';
    let isOver = false;
    let count = 0;

    const keepDoing = async (what: string, work: () => Promise<void>): Promise<void> => {
      while (!isOver) {
        count += 1;
        await work().catch((error: unknown) => failures.push(`${what}: ${String(error)}`));
      }
    };
    const atApi = async (token: string): Promise<void> => {
      const { status, body } = await requestAt(node(), '/v1/me', { credential: token });
      if (status !== 200) throw new Error(JSON.stringify(body));
    };
    const jose = strictJose();
    const customer = await customers();
    let refreshToken = first;
    const load = [
      ...SIGNING_ALGORITHMS.map((algorithm) =>
        keepDoing(algorithm, async () => {
          const token = await issue(algorithm);
          issued.add(kidOf(token));
          await jose(token);
          await atApi(token);
          if (algorithm === 'RS256') await customer(token);
        }),
      ),
      keepDoing('an early token', async () => {
        await jose(early);
        await customer(early);
        await atApi(early);
        await pause(20);
      }),
      keepDoing('a refresh', async () => {
        const form = refreshForm(site.made.apps.web, refreshToken);
        const { status, body } = await requestAt(node(), '/oauth/token', { form });
        if (status !== 200) throw new Error(JSON.stringify(body));
        refreshToken = String(body['refresh_token']);
        await jose(String(body['access_token']));
        await jose(String(body['id_token']));
      }),
    ];

    // Twice: at the second time the next keys have only just been published, and have to wait.
    const all = [before];
    for (let rotation = 0; rotation < 2; rotation++) {
      const kids = all.at(-1) ?? [];
      await site.services.signingKeys.rotate({ type: 'operator' });
      const taken = await until(
        () => Promise.all(SIGNING_ALGORITHMS.map(currentKid)),
        (now) => now.every((kid, i) => kid !== kids[i]),
      );
      await until(
        () => Promise.resolve([...issued]),
        (seen) => taken.every((kid) => seen.includes(String(kid))),
      );
      all.push(taken);
    }
    await pause(JWKS_CACHE_SECONDS * 1000 + 500);
    isOver = true;
    await Promise.all(load);

    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(50);
    const { keys } = await jwks();
    for (const kid of all.flat()) expect(keys.map((key) => key.kid)).toContain(kid);

    // OpenID Connect Core §3.1.2.1: a hint that an earlier key signed is still one of ours.
    const { leftTo } = await site.userAgent.open(
      authorizationUrl(site, pkce().challenge, {
        prompt: 'none',
        scope: 'openid prompts:read',
        id_token_hint: hint,
      }),
    );
    expect(leftTo?.searchParams.get('error')).toBeNull();
    expect(leftTo?.searchParams.get('code')).toBeTruthy();
  }, 60_000);

  test('a key that has signed for 90 days gives way by itself; all processes agree on one', async () => {
    const before = await currentKid('RS256');
    const rows = () => site.services.database.sql()('signing_keys');
    const earlier = site.services.database.sql().raw("now() - interval '91 days'");
    await rows().where({ status: 'current' }).update({ activated_at: earlier });
    await rows().where({ status: 'next' }).update({ created_at: earlier });
    await Promise.all(Array.from({ length: 8 }, () => site.services.signingKeys.advance()));
    const keys = await site.services.signingKeys.list();
    for (const algorithm of SIGNING_ALGORITHMS) {
      const of = (status: string) =>
        keys.filter((key) => key.algorithm === algorithm && key.status === status);
      expect([of('current').length, of('next').length]).toEqual([1, 1]);
    }
    expect(await currentKid('RS256')).not.toBe(before);
    expect(keys.find(({ kid }) => kid === before)?.status).toBe('retired');
    const events = await site.services.database
      .sql()('audit_events')
      .where({ type: 'signing_key.activated' });
    expect(events.map(({ target_id: kid }: { target_id: string }) => kid)).toContain(
      await currentKid('RS256'),
    );
  }, 20_000);

  test('a compromised key is dropped at once: its tokens are refused everywhere within a second, another signs', async () => {
    const token = await issue('RS256');
    const kid = kidOf(token);
    for (const at of [...site.nodes, ...site.nodes]) {
      expect((await requestAt(at, '/v1/me', { credential: token })).status).toBe(200); // remembered from here on
    }
    expect(await site.services.signingKeys.dropCompromised(kid, { type: 'operator' })).toBe(true);
    await pause(1_000);
    for (const at of site.nodes) {
      expect((await requestAt(at, '/v1/me', { credential: token })).status).toBe(401);
      const form = { ...credentialsOf(site.extra.ES256), token };
      expect((await requestAt(at, '/oauth/introspect', { form })).body).toEqual({ active: false });
      const { body } = await requestAt(at, '/.well-known/jwks.json');
      expect((body as { keys: { kid: string }[] }).keys.map((key) => key.kid)).not.toContain(kid);
    }
    for (let i = 0; i < 4; i++) {
      const fresh = await issue('RS256');
      expect(kidOf(fresh)).not.toBe(kid);
      expect((await requestAt(node(), '/v1/me', { credential: fresh })).status).toBe(200);
    }
    expect(await site.services.signingKeys.dropCompromised(kid, { type: 'operator' })).toBe(false);
  }, 20_000);

  test('private halves are sealed in the database, and bound to their names', async () => {
    const { sql } = site.services.database;
    const keys = await sql()('signing_keys').select<{ kid: string; sealed_private_jwk: Buffer }[]>();
    expect(JSON.stringify(keys)).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
    const [a, b] = keys;
    await expect(
      (async () => site.services.sealer.open(a?.sealed_private_jwk as Buffer, `signing_keys/${b?.kid}`))(),
    ).rejects.toThrow(/authenticate/);
  });
});
