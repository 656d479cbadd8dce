import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Role } from '../../config/roles.ts';
import { ownToken } from '../support/api.ts';
import { latestMailTo } from '../support/mailbox.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addPerson, type Person } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import { authorizationUrl, pkce, type TokenAnswer } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { getTokens, refreshForm } from './support.ts';
import { type Askers, activityAt, addAskers, oneSecond } from './token-management.ts';

const SCOPE = 'prompts:read prompts:write';

/**
 * What ends with what it rests on, on every process, within a second of the acknowledgement. Both remember credentials for
 * an hour: only the feed of changes can make them forget.
 */
describeWith('postgresql', 'Within a second, over two processes', () => {
  let site: TwoNodes<Askers>;
  let people = 0;

  beforeAll(async () => {
    site = await startTwoNodes(addAskers, { CREDENTIAL_CACHE_SECONDS: '3600' });
  }, 60_000);
  afterAll(() => site?.stop());

  /** A member who allowed an app, with a browser that is signed in, and an API key of their own. */
  async function somebody(role: Role = 'member') {
    people += 1;
    const organizationId = site.made.organization.id;
    const person = await addPerson(site.services, `person-${people}@example.com`, [{ organizationId, role }]);
    const client = await addApp(site.services, site.made);
    const agent = createUserAgent(site.server.url);
    const tokens = await getTokens(site, { person, client, agent, params: { scope: SCOPE } });
    const { key } = await site.services.createApiKey(
      {
        organizationId,
        name: 'k',
        environment: 'live',
        scopes: ['prompts:read', 'prompts:write'],
        createdBy: person.id,
      },
      { actor: { type: 'user', id: person.id } },
    );
    const all = { person, client, agent, tokens, key: key.reveal() };
    for (const credential of [tokens.access_token, all.key]) {
      expect(await codes(credential)).toEqual([200, 200]);
      expect(await codes(credential)).toEqual([200, 200]); // remembered by now
    }
    return all;
  }

  /** What writing a prompt comes to on every process: 200 where it would be done (the body has a fault), else the error's code. */
  const codes = (credential: string) =>
    Promise.all(
      site.nodes.map(async (node) => {
        const { status, body } = await requestAt(node, '/v1/prompts', { credential, json: {} });
        return status === 422 ? 200 : body['code'];
      }),
    );

  const activity = (token: string) => activityAt(site.nodes, site.extra.resourceServer, token);

  /** Neither of the two tokens opens anything, anywhere; the refresh token gets no new ones. */
  async function expectEnded(tokens: TokenAnswer, client: Client, error = 'invalid_grant'): Promise<void> {
    const { access_token: token, refresh_token: refreshToken = '' } = tokens;
    expect(await codes(token)).toEqual(['credential_revoked', 'credential_revoked']);
    expect(await activity(token)).toEqual([false, false]);
    expect(await activity(refreshToken)).toEqual([false, false]);
    for (const node of site.nodes) {
      const { body } = await requestAt(node, '/oauth/token', { form: refreshForm(client, refreshToken) });
      expect(body['error']).toBe(error);
    }
  }

  /** The error with which the app is sent back when it asks without a page, or undefined. */
  async function silently(agent: UserAgent, client: Client): Promise<string | null | undefined> {
    const { leftTo } = await agent.open(
      authorizationUrl(site, pkce().challenge, {
        client_id: client.clientId,
        redirect_uri: client.redirectUris[0],
        scope: SCOPE,
        prompt: 'none',
      }),
    );
    return leftTo?.searchParams.get('error') ?? undefined;
  }

  test('withdrawal of consent ends every token of the app, and the app has to ask again', async () => {
    const { person, client, agent, tokens, key } = await somebody();
    const other = await getTokens(site, { person, agent, params: { scope: SCOPE } });
    expect(await silently(agent, client)).toBeUndefined();
    const of = { userId: person.id, appId: client.clientId };
    expect(await site.services.withdrawConsent(of, { ip: '192.0.2.1' })).toBe(true);
    await oneSecond();
    await expectEnded(tokens, client);
    expect(await silently(agent, client)).toBe('consent_required');
    for (const credential of [other.access_token, key]) expect(await codes(credential)).toEqual([200, 200]);

    expect(await site.services.withdrawConsent(of, { ip: '192.0.2.1' })).toBe(false);
    const events = await site.services.database
      .sql()('audit_events')
      .where({ type: 'grant.withdrawn', target_id: client.clientId });
    expect(events).toMatchObject([{ actor_id: person.id, organization_id: site.made.organization.id }]);
    // Allowing it again brings none of the old tokens back.
    await getTokens(site, { person, agent, client, params: { scope: SCOPE } });
    expect(await codes(tokens.access_token)).toEqual(['credential_revoked', 'credential_revoked']);
  }, 30_000);

  test('a new password ends sessions and what apps hold', async () => {
    const { person, client, agent, tokens } = await somebody();
    await resetPassword(person);
    await oneSecond();
    await expectEnded(tokens, client);
    expect(await silently(agent, client)).toBe('login_required');
  }, 30_000);

  test('deactivation shuts the person out: sessions, tokens and API keys; reactivation lets only keys work again', async () => {
    const { person, client, agent, tokens, key } = await somebody();
    expect(await site.services.userStatus.deactivate(person.id, { type: 'operator' })).toBe(true);
    await oneSecond();
    await expectEnded(tokens, client);
    expect(await codes(key)).toEqual(['credential_revoked', 'credential_revoked']);
    expect(await activity(key)).toEqual([false, false]);
    expect(await silently(agent, client)).toBe('login_required');
    expect(await site.services.userStatus.deactivate(person.id, { type: 'operator' })).toBe(false);

    expect(await site.services.userStatus.reactivate(person.id, { type: 'operator' })).toBe(true);
    await oneSecond();
    expect(await codes(key)).toEqual([200, 200]);
    await expectEnded(tokens, client);
    expect(await silently(agent, client)).toBe('login_required');
    const events = await site.services.database.sql()('audit_events').where({ target_id: person.id });
    const types = events.map(({ type }: { type: string }) => type);
    expect(types).toEqual(expect.arrayContaining(['user.deactivated', 'user.reactivated']));
  }, 30_000);

  test('deletion of the app ends its tokens', async () => {
    const { client, tokens, key } = await somebody();
    const admin = await ownToken(site, site.made.apps.service);
    const path = `/v1/apps/${client.clientId}`;
    expect((await requestAt(site.server, path, { credential: admin, method: 'DELETE' })).status).toBe(204);
    await oneSecond();
    await expectEnded(tokens, client, 'invalid_client');
    expect(await codes(key)).toEqual([200, 200]);
  }, 30_000);

  test('a lesser role takes its scopes from tokens and keys that exist, and from new ones', async () => {
    const { person, client, tokens, key } = await somebody();
    const admin = await ownToken(site, site.made.apps.service);
    const path = `/v1/organization/members/${person.id}`;
    const json = { role: 'viewer' };
    expect((await requestAt(site.server, path, { credential: admin, json, method: 'PATCH' })).status).toBe(
      200,
    );
    await oneSecond();
    for (const credential of [tokens.access_token, key]) {
      expect(await codes(credential)).toEqual(['insufficient_scope', 'insufficient_scope']);
    }
    const { clientId, clientSecret } = site.extra.resourceServer;
    for (const token of [tokens.access_token, tokens.refresh_token ?? '', key]) {
      const form = { client_id: clientId, client_secret: clientSecret, token };
      const { body } = await requestAt(site.nodes[1], '/oauth/introspect', { form });
      expect(body).toMatchObject({ active: true, scope: 'prompts:read' });
    }
    const { body } = await requestAt(site.nodes[1], '/oauth/token', {
      form: refreshForm(client, tokens.refresh_token),
    });
    expect(body['scope']).toBe('prompts:read');
  }, 30_000);

  test('leaving the organization ends what was allowed there', async () => {
    const { person, client, tokens, key } = await somebody();
    const admin = await ownToken(site, site.made.apps.service);
    const path = `/v1/organization/members/${person.id}`;
    expect((await requestAt(site.server, path, { credential: admin, method: 'DELETE' })).status).toBe(204);
    await oneSecond();
    await expectEnded(tokens, client);
    expect(await codes(key)).toEqual(['credential_revoked', 'credential_revoked']);
  }, 30_000);

  async function resetPassword({ email }: Person): Promise<void> {
    const agent = createUserAgent(site.server.url);
    await agent.submit(await agent.open('/forgot-password'), { email });
    const { links } = await latestMailTo(site.server.dataDir, email);
    const done = await agent.submit(await agent.open(links[0] ?? ''), {
      password: 'a wholly different passphrase',
    });
    expect(done.status).toBe(200);
  }
});
