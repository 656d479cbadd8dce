import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { me, ownToken } from '../support/api.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addPerson } from '../support/people.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { getTokens, refreshForm, tokenRequest } from './support.ts';
import { type Askers, activityAt, addAskers, ask, introspect, oneSecond } from './token-management.ts';

/** Both processes remember credentials for an hour: only the feed of changes can make them forget within a second. */
describeWith('postgresql', 'RFC 7009, over two processes', () => {
  let site: TwoNodes<Askers>;

  beforeAll(async () => {
    site = await startTwoNodes(addAskers, { CREDENTIAL_CACHE_SECONDS: '3600' });
  }, 60_000);
  afterAll(() => site?.stop());

  const revoke = (client: { clientId: string; clientSecret: string }, token: string, hint?: string) =>
    ask(site, '/oauth/revoke', client, token, hint ? { token_type_hint: hint } : {});

  /** What `/v1/me` says on every process. */
  const statuses = (credential: string) =>
    Promise.all(
      site.nodes.map(async (node) => {
        const { status, body } = await requestAt(node, '/v1/me', { credential });
        return status === 200 ? 200 : body['code'];
      }),
    );

  const activity = (token: string) => activityAt(site.nodes, site.extra.resourceServer, token);

  /** Until every process has it in its memory. */
  const remember = async (...credentials: string[]): Promise<void> => {
    for (const credential of credentials) {
      expect(await statuses(credential)).toEqual([200, 200]);
      expect(await statuses(credential)).toEqual([200, 200]);
    }
  };

  const auditEvents = (type: string) => site.services.database.sql()('audit_events').where({ type });

  test('§2.1: a JWT access token is refused by /v1 and introspection on every process within a second, and it alone', async () => {
    const { made } = site;
    const tokens = await getTokens(site);
    const { body } = await tokenRequest(site, refreshForm(made.apps.web, tokens.refresh_token));
    const sibling = String(body['access_token']);
    await remember(tokens.access_token, sibling);

    const answer = await revoke(made.apps.web, tokens.access_token);
    expect(answer).toMatchObject({ status: 200, text: '{}' });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    await oneSecond();
    expect(await statuses(tokens.access_token)).toEqual(['credential_revoked', 'credential_revoked']);
    expect(await activity(tokens.access_token)).toEqual([false, false]);
    expect(await statuses(sibling)).toEqual([200, 200]);
    expect(await activity(String(body['refresh_token']))).toEqual([true, true]);

    const [event] = await auditEvents('token.revoked');
    expect(event).toMatchObject({ organization_id: made.organization.id, actor_id: made.apps.web.clientId });
    await revoke(made.apps.web, tokens.access_token);
    expect(await auditEvents('token.revoked')).toHaveLength(1); // revoking twice is revoking once
  }, 20_000);

  test('§2.1: the token of an app that acts for itself, whatever the hint says', async () => {
    const { service } = site.made.apps;
    for (const hint of ['access_token', 'refresh_token', 'nonsense']) {
      const token = await ownToken(site, service);
      await remember(token);
      expect((await revoke(service, token, hint)).status).toBe(200);
      await oneSecond();
      expect(await statuses(token)).toEqual(['credential_revoked', 'credential_revoked']);
    }
  }, 20_000);

  test('§2.1: a refresh token ends its family: its successors and the access tokens under it', async () => {
    const { web } = site.made.apps;
    const tokens = await getTokens(site);
    const { body } = await tokenRequest(site, refreshForm(web, tokens.refresh_token));
    const second = String(body['refresh_token']);
    await remember(tokens.access_token, String(body['access_token']));
    expect((await revoke(web, second)).text).toBe('{}');
    await oneSecond();
    for (const token of [tokens.access_token, String(body['access_token'])]) {
      expect(await statuses(token)).toEqual(['credential_revoked', 'credential_revoked']);
    }
    expect(await activity(second)).toEqual([false, false]);
    expect(await tokenRequest(site, refreshForm(web, second))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  }, 20_000);

  test('§2.1: a refresh token that was rotated already still ends its family', async () => {
    const { web } = site.made.apps;
    const { refresh_token: first = '' } = await getTokens(site);
    const { body } = await tokenRequest(site, refreshForm(web, first));
    expect((await revoke(web, first)).status).toBe(200);
    expect((await tokenRequest(site, refreshForm(web, String(body['refresh_token'])))).status).toBe(400);
  });

  test('an API key ends as by /v1, with the same audit event', async () => {
    const admin = await ownToken(site, site.made.apps.service);
    const keys = await Promise.all(
      [0, 1].map(async () => {
        const json = { name: 'k', environment: 'live', scopes: ['prompts:read'] };
        const { body } = await requestAt(site.server, '/v1/api-keys', { credential: admin, json });
        return { id: String(body['id']), key: String(body['key']) };
      }),
    );
    await remember(...keys.map(({ key }) => key));
    for (const [i, client] of [site.extra.sibling, site.extra.resourceServer].entries()) {
      const { id = '', key = '' } = keys[i] ?? {};
      expect(await revoke(client, key)).toMatchObject({ status: 200, text: '{}' });
      await oneSecond();
      expect(await statuses(key)).toEqual(['credential_revoked', 'credential_revoked']);
      expect(await activity(key)).toEqual([false, false]);
      expect(await auditEvents('api_key.revoked').where({ target_id: id })).toMatchObject([
        { actor_type: 'app', actor_id: client.clientId, organization_id: site.made.organization.id },
      ]);
    }
  }, 20_000);

  test('§2.1: a public app ends its own tokens, and no others', async () => {
    const { spa } = site.made.apps;
    const client = { ...spa, clientSecret: '' };
    const own = await getTokens(site, { client });
    const others = await getTokens(site);
    await remember(own.access_token, others.access_token);
    for (const token of [others.access_token, others.refresh_token ?? '', site.made.apiKeys.live]) {
      expect(await revoke(client, token)).toMatchObject({ status: 200, text: '{}' });
    }
    expect((await revoke(client, own.access_token)).status).toBe(200);
    await oneSecond();
    expect(await statuses(own.access_token)).toEqual(['credential_revoked', 'credential_revoked']);
    expect(await statuses(others.access_token)).toEqual([200, 200]);
    expect(await activity(others.refresh_token ?? '')).toEqual([true, true]);
    expect((await me(site, site.made.apiKeys.live)).status).toBe(200);
  }, 20_000);

  test('§2.1: an app of another organization, or of the sandbox, is told that it may not, and nothing ends', async () => {
    const { access_token: token, refresh_token: refreshToken = '' } = await getTokens(site);
    for (const client of [site.extra.stranger, site.extra.sandboxSibling]) {
      for (const credential of [token, refreshToken, site.made.apiKeys.live]) {
        const { status, body } = await revoke(client, credential);
        expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
      }
    }
    expect(await activity(token)).toEqual([true, true]);
    expect(await activity(refreshToken)).toEqual([true, true]);
    expect((await me(site, site.made.apiKeys.live)).status).toBe(200);
  });

  test('§2.2: a token that is unknown, forged or expired is answered like one that was revoked', async () => {
    const token = await ownToken(site, site.made.apps.service);
    const never = `pr_live_${'0'.repeat(36)}`;
    for (const unknown of ['nonsense', `${token.slice(0, -8)}AAAAAAAA`, never, 'rt_x']) {
      expect(await revoke(site.made.apps.service, unknown)).toMatchObject({ status: 200, text: '{}' });
    }
    expect((await me(site, token)).status).toBe(200);
    const wrong = await revoke({ ...site.made.apps.service, clientSecret: 'secret_wrong' }, token);
    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('§2.1: a page of a public app may call it from another origin (CORS)', async () => {
    const { clientId } = site.made.apps.spa;
    const response = await fetch(new URL('/oauth/revoke', site.server.url), {
      method: 'POST',
      headers: { Origin: 'https://app.example.com' },
      body: new URLSearchParams({ token: 'nonsense', client_id: clientId }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('fifty revocations of one family at once all answer 200, and it is recorded once', async () => {
    const person = await addPerson(site.services, 'fifty@example.com', [
      { organizationId: site.made.organization.id, role: 'member' },
    ]);
    const tokens = await getTokens(site, { person, agent: createUserAgent(site.server.url) });
    const before = (await auditEvents('token.revoked')).length;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => revoke(site.made.apps.web, tokens.refresh_token ?? '')),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 {}']));
    expect(await auditEvents('token.revoked')).toHaveLength(before + 1);
    expect(await introspect(site, site.extra.sibling, tokens.refresh_token ?? '')).toEqual({ active: false });
  }, 20_000);
});
