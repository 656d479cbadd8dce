import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDpopKey } from '../oauth/dpop-support.ts';
import { credentialsOf, getCode, getTokens, refreshForm } from '../oauth/support.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { claimsOf } from '../support/site.ts';

const PRELOADED = path.resolve(import.meta.dirname, '../support/clock-step.ts');
const MINUTE_MS = 60_000;

describeWith('postgresql', 'Processes whose clocks differ', () => {
  let site: PreparedSite<undefined>;
  let ahead: ServerProcess;
  let behind: ServerProcess;
  let farAhead: ServerProcess;
  let farBehind: ServerProcess;

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', async () => undefined, {
      REFRESH_GRACE_SECONDS: '10',
      CREDENTIAL_CACHE_SECONDS: '0',
    });
    const startWithClock = async (stepMs: number) =>
      startServer({
        ...site.env,
        API_URL: site.server.url,
        PORT: String(await freePort()),
        NODE_OPTIONS: `--import=${PRELOADED}`,
        CLOCK_STEP_MS: String(stepMs),
      });
    [ahead, behind, farAhead, farBehind] = await Promise.all([
      startWithClock(2_000),
      startWithClock(-2_000),
      startWithClock(10 * MINUTE_MS),
      startWithClock(-10 * MINUTE_MS),
    ]);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([ahead, behind, farAhead, farBehind].map((node) => node?.stop()));
    await site?.stop();
  });

  const nodes = () => [site.server, ahead, behind];
  const token = (node: ServerProcess, form: Record<string, string>) =>
    requestAt(node, '/oauth/token', { form });
  const own = async (node: ServerProcess): Promise<string> => {
    const form = { grant_type: 'client_credentials', ...credentialsOf(site.made.apps.service) };
    return String((await token(node, form)).body['access_token']);
  };

  test('the clocks do differ', async () => {
    const issuedAt = async (node: ServerProcess) => Number(claimsOf(await own(node))['iat']);
    expect((await issuedAt(ahead)) - (await issuedAt(behind))).toBeGreaterThanOrEqual(3);
    expect((await issuedAt(farAhead)) - (await issuedAt(farBehind))).toBeGreaterThan(19 * 60);
  });

  test('by four seconds: each takes the codes, access tokens, refresh tokens and repeats of every other', async () => {
    for (const node of nodes()) {
      const { redemption } = await getCode(site);
      const redeemed = await token(node, redemption);
      expect(redeemed.status).toBe(200);
      let refreshToken = String(redeemed.body['refresh_token']);
      for (const other of nodes()) {
        const credential = String(redeemed.body['access_token']);
        expect((await requestAt(other, '/v1/me', { credential })).status).toBe(200);
        const form = refreshForm(site.made.apps.web, refreshToken);
        const rotated = await token(other, form);
        expect(rotated.status).toBe(200);
        for (const third of nodes()) expect((await token(third, form)).body).toEqual(rotated.body);
        refreshToken = String(rotated.body['refresh_token']);
      }
    }
  }, 30_000);

  test('by four seconds: each takes the proofs of every client (RFC 9449 §11.1)', async () => {
    const key = await createDpopKey();
    const { clientId, clientSecret } = site.made.apps.service;
    const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    for (const node of nodes()) {
      const proof = await key.prove({ method: 'POST', url: `${site.server.url}/oauth/token` });
      const answer = await requestAt(node, '/oauth/token', { form: body, headers: { DPoP: proof } });
      expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    }
  });

  const newKey = async (expiresInMs: number): Promise<string> => {
    const { organization, user } = site.made;
    const { key } = await site.services.createApiKey(
      {
        organizationId: organization.id,
        name: 'Ends',
        environment: 'live',
        scopes: ['prompts:read'],
        createdBy: user.id,
        expiresAt: new Date(Date.now() + expiresInMs),
      },
      { actor: { type: 'operator' } },
    );
    return key.reveal();
  };

  test('by ten minutes: a key ends by the clock of the database, neither sooner nor later', async () => {
    const [good, over] = [await newKey(5 * MINUTE_MS), await newKey(1)];
    for (const node of [farAhead, farBehind]) {
      expect((await requestAt(node, '/v1/me', { credential: good })).status).toBe(200);
      expect((await requestAt(node, '/v1/me', { credential: over })).body['code']).toBe('credential_expired');
    }
  });

  test('by ten minutes: a refresh token whose time is over is refused, and one that is good is taken', async () => {
    const client = site.made.apps.web;
    const [good, over] = [await getTokens(site), await getTokens(site)];
    const records = () => site.services.database.sql()('oauth_records').where({ kind: 'RefreshToken' });
    expect((await token(farAhead, refreshForm(client, good.refresh_token))).status).toBe(200);
    await records().update({ expires_at: new Date(Date.now() - 60_000) });
    const refused = await token(farBehind, refreshForm(client, over.refresh_token));
    expect(`${refused.status} ${refused.body['error']}`).toBe('400 invalid_grant');
  });

  test('by ten minutes: a token that is revoked at one is refused at the other', async () => {
    const { access_token: accessToken } = await getTokens(site);
    const form = { token: accessToken, ...credentialsOf(site.made.apps.web) };
    expect((await requestAt(farAhead, '/oauth/revoke', { form })).status).toBe(200);
    expect((await requestAt(farBehind, '/oauth/introspect', { form })).body).toEqual({ active: false });
    expect((await requestAt(site.server, '/v1/me', { credential: accessToken })).status).toBe(401);
  });
});
