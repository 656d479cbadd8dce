import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { me } from '../support/api.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, claimsOf, pkce } from '../support/site.ts';
import { createUserAgent, type Page, tickedBoxes, type UserAgent } from '../support/user-agent.ts';
import {
  askedScopes,
  type CodeRequest,
  callbackOf,
  getCode,
  getTokens,
  refreshForm,
  tokenRequest,
  walk,
} from './support.ts';
import { oneSecond } from './token-management.ts';

type Extra = {
  web: Client;
  native: Client;
  other: string;
  people: Record<'owner' | 'member' | 'viewer' | 'double' | 'nobody', Person>;
};

describeWith('postgresql', 'Consent', () => {
  let site: PreparedSite<Extra>;
  let agent: UserAgent;
  const sql = () => site.services.database.sql();

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', async (services, made) => {
      const demo = made.organization.id;
      const person = (name: string, roles: Parameters<typeof addPerson>[2]) =>
        addPerson(services, `${name}@example.com`, roles);
      const keeper = await person('keeper', []);
      const { id: other } = await services.createOrganization({
        name: 'Another organization',
        ownerId: keeper.id,
      });
      return {
        web: await addApp(services, made, { name: 'Web app' }),
        native: await addApp(services, made, { name: 'Native app', kind: 'native' }),
        other,
        people: {
          owner: await person('owner', [{ organizationId: demo, role: 'owner' }]),
          member: await person('member', [{ organizationId: demo, role: 'member' }]),
          viewer: await person('viewer', [{ organizationId: demo, role: 'viewer' }]),
          double: await person('double', [
            { organizationId: demo, role: 'viewer' },
            { organizationId: other, role: 'owner' },
          ]),
          nobody: await person('nobody', []),
        },
      };
    });
  }, 120_000);

  afterAll(() => site?.stop());

  beforeEach(async () => {
    await sql()('grants').delete();
    const { people } = site.extra;
    const demo = { organization_id: site.made.organization.id };
    for (const role of ['owner', 'member', 'viewer'] as const) {
      await sql()('memberships')
        .insert({ ...demo, user_id: people[role].id, role })
        .onConflict(['organization_id', 'user_id'])
        .merge();
    }
    agent = createUserAgent(site.server.url);
  });

  const url = (params: Record<string, string | undefined> = {}, client = site.extra.web) =>
    authorizationUrl(site, pkce().challenge, {
      client_id: client.clientId,
      redirect_uri: client.redirectUris[0],
      ...params,
    });

  const owner = () => site.extra.people.owner;

  const tokensOf = (request: CodeRequest = {}) =>
    getTokens(site, { agent, person: owner(), client: site.extra.web, ...request });

  /** Which of the page's scopes are marked as allowed before. */
  const allowedBefore = (page: Page): string[] =>
    page.html
      .split('<li class="scope')
      .slice(1)
      .filter((row) => row.includes('Allowed before'))
      .flatMap((row) => askedScopes(row));

  test('all scopes are ticked at first; an unticked one is not in the token', async () => {
    const { consent } = await walk(agent, url(), owner(), { decision: 'deny' });
    expect(tickedBoxes(consent?.html ?? '', 'scope')).toEqual([
      'prompts:read',
      'prompts:write',
      'reports:read',
    ]);
    const tokens = await tokensOf({ answer: { scopes: ['prompts:read', 'reports:read'] } });
    expect(tokens.scope).toBe('prompts:read reports:read');
    expect(claimsOf(tokens.access_token)['scope']).toBe('prompts:read reports:read');
    expect((await me(site, tokens.access_token)).body['scopes']).toEqual(['prompts:read', 'reports:read']);
  });

  test('a web app is not asked about again for the same or fewer scopes, also from another browser', async () => {
    await tokensOf();
    for (const scope of ['prompts:read prompts:write reports:read', 'prompts:read']) {
      expect((await walk(agent, url({ scope }), owner())).consent).toBeUndefined();
      const elsewhere = await walk(createUserAgent(site.server.url), url({ scope }), owner());
      expect(elsewhere.consent).toBeUndefined();
      expect(callbackOf(elsewhere).get('code')).toBeTruthy();
    }
  });

  test('nor for one that was unticked: the token then holds the rest', async () => {
    await tokensOf({ answer: { scopes: ['prompts:read'] } });
    const tokens = await tokensOf();
    expect(tokens.scope).toBe('prompts:read');
  });

  test('when more scopes are asked for, the page comes again, with the earlier ones marked', async () => {
    await tokensOf({ params: { scope: 'prompts:read' } });
    const walked = await walk(agent, url({ scope: 'prompts:read evaluations:read' }), owner(), {
      decision: 'deny',
    });
    expect(askedScopes(walked.consent?.html ?? '')).toEqual(['prompts:read', 'evaluations:read']);
    expect(allowedBefore(walked.consent as Page)).toEqual(['prompts:read']);
  });

  test('prompt=consent asks again and can give what was unticked before', async () => {
    await tokensOf({ answer: { scopes: ['prompts:read'] } });
    const tokens = await tokensOf({ params: { prompt: 'consent' } });
    expect(tokens.scope).toBe('prompts:read prompts:write reports:read');
  });

  test('prompt=consent can take back what was given before', async () => {
    const before = await tokensOf();
    const after = await tokensOf({
      params: { prompt: 'consent' },
      answer: { scopes: ['reports:read'] },
    });
    expect(after.scope).toBe('reports:read');
    const { body } = await tokenRequest(site, refreshForm(site.extra.web, before.refresh_token));
    expect(body['scope']).toBe('reports:read');
  });

  test('RFC 6749 §4.1.2.1: Deny is access_denied, with iss and state, and grants nothing', async () => {
    const walked = await walk(agent, url(), owner(), { decision: 'deny' });
    expect(Object.fromEntries(callbackOf(walked))).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'the-state',
      iss: site.server.url,
    });
    expect(await sql()('grants')).toEqual([]);
  });

  test('Deny leaves an earlier consent as it was', async () => {
    const tokens = await tokensOf();
    await walk(agent, url({ prompt: 'consent' }), owner(), { decision: 'deny' });
    expect((await me(site, tokens.access_token)).status).toBe(200);
  });

  test('RFC 8252 §8.6: a native app, which anybody may claim to be, is asked about every time', async () => {
    const { native } = site.extra;
    await tokensOf({ client: native });
    const again = await walk(agent, url({}, native), owner());
    expect(again.consent).toBeDefined();
    expect(allowedBefore(again.consent as Page)).toEqual(['prompts:read', 'prompts:write', 'reports:read']);
    const quietly = await walk(agent, url({ prompt: 'none' }, native), owner());
    expect(callbackOf(quietly).get('error')).toMatch(/_required$/);
  });

  test('nothing ticked: the page comes again and says so; the request still stands', async () => {
    const { end } = await walk(agent, url(), owner(), { scopes: [] });
    expect(end.status).toBe(422);
    expect(end.html).toContain('Keep at least one permission ticked');
    expect(tickedBoxes(end.html, 'scope')).toEqual([]);
    const done = await agent.submit(end, { decision: 'allow', scope: ['prompts:read'] }, '/consent');
    expect(done.leftTo?.searchParams.get('code')).toBeTruthy();
  });

  test('scopes that were not asked for can not be given, whatever the form says', async () => {
    const tokens = await tokensOf({
      params: { scope: 'prompts:read' },
      answer: { scopes: ['prompts:read', 'organization:admin', 'nonsense', '__proto__'] },
    });
    expect(tokens.scope).toBe('prompts:read');
  });

  test('the organization is the person’s choice, and the token’s org_id', async () => {
    const { double } = site.extra.people;
    const request = { person: double, params: { scope: 'prompts:read prompts:write' } };
    const inDemo = await tokensOf({ ...request, answer: { organization: site.made.organization.id } });
    expect(claimsOf(inDemo.access_token)).toMatchObject({
      org_id: site.made.organization.id,
      scope: 'prompts:read',
    });
    const inOther = await tokensOf({
      ...request,
      params: { ...request.params, prompt: 'consent' },
      answer: { organization: site.extra.other },
    });
    expect(claimsOf(inOther.access_token)).toMatchObject({
      org_id: site.extra.other,
      scope: 'prompts:read prompts:write',
    });
    expect((await me(site, inDemo.access_token)).body).toMatchObject({
      organizationId: site.made.organization.id,
      scopes: ['prompts:read'],
    });
    const refreshed = await tokenRequest(site, refreshForm(site.extra.web, inDemo.refresh_token));
    expect(claimsOf(String(refreshed.body['access_token']))).toMatchObject({
      org_id: site.made.organization.id,
      scope: 'prompts:read',
    });
  });

  test('an organization that the person does not belong to, or none, can not be chosen', async () => {
    for (const organization of [site.extra.other, 'org_unknown', '']) {
      const { end } = await walk(createUserAgent(site.server.url), url(), owner(), { organization });
      expect(end.status).toBe(422);
      expect(end.leftTo).toBeUndefined();
    }
    expect(await sql()('grants')).toEqual([]);
  });

  test('a person without an organization can give nothing', async () => {
    const { end } = await walk(agent, url(), site.extra.people.nobody, {
      organization: site.made.organization.id,
    });
    expect(end.status).toBe(422);
  });

  test.each([
    ['owner', 'prompts:read prompts:write organization:read organization:admin'],
    ['member', 'prompts:read prompts:write organization:read'],
    ['viewer', 'prompts:read organization:read'],
  ] as const)('Contract §4: of all scopes a%.0s %s can give: %s', async (role, granted) => {
    const tokens = await tokensOf({
      person: site.extra.people[role],
      params: { scope: 'prompts:read prompts:write organization:read organization:admin' },
    });
    expect(tokens.scope).toBe(granted);
  });

  test('a role that can give none of what is asked for is told so', async () => {
    const { end } = await walk(agent, url({ scope: 'prompts:write' }), site.extra.people.viewer, {
      scopes: ['prompts:write'],
    });
    expect(end.status).toBe(422);
    expect(end.html).toContain('viewer');
  });

  test('a person whose role shrinks has narrower tokens: at /v1 at once, and at the next refresh', async () => {
    const tokens = await tokensOf({ params: { scope: 'prompts:read prompts:write organization:admin' } });
    await sql()('memberships').where({ user_id: owner().id }).update({ role: 'viewer' });
    expect((await me(site, tokens.access_token)).body['scopes']).toEqual(['prompts:read']);
    const refreshed = await tokenRequest(site, refreshForm(site.extra.web, tokens.refresh_token));
    expect(refreshed.body['scope']).toBe('prompts:read');
    expect(claimsOf(String(refreshed.body['access_token']))['scope']).toBe('prompts:read');

    await sql()('memberships').where({ user_id: owner().id }).update({ role: 'admin' });
    const regained = await tokenRequest(
      site,
      refreshForm(site.extra.web, String(refreshed.body['refresh_token'])),
    );
    expect(regained.body['scope']).toBe('prompts:read prompts:write organization:admin');
  });

  test('a role that leaves nothing of what was granted ends the refresh: no token without scopes', async () => {
    const tokens = await tokensOf({ params: { scope: 'prompts:write' } });
    await sql()('memberships').where({ user_id: owner().id }).update({ role: 'viewer' });
    const { status, body } = await tokenRequest(site, refreshForm(site.extra.web, tokens.refresh_token));
    expect(`${status} ${body['error']}`).toMatch(/^400 invalid_(scope|grant)$/);
  });

  test('a code from before the role shrank gives the narrower token', async () => {
    const { redemption } = await getCode(site, {
      agent,
      person: owner(),
      client: site.extra.web,
      params: { scope: 'prompts:read prompts:write' },
    });
    await sql()('memberships').where({ user_id: owner().id }).update({ role: 'viewer' });
    const { body } = await tokenRequest(site, redemption);
    expect(body['scope']).toBe('prompts:read');
  });

  test('a person who left the organization: invalid_grant at refresh, 401 at /v1, and asked anew', async () => {
    const tokens = await tokensOf();
    await sql()('memberships').where({ user_id: owner().id }).delete();
    const answer = await me(site, tokens.access_token);
    expect(`${answer.status} ${answer.body['code']}`).toBe('401 credential_revoked');
    const { status, body } = await tokenRequest(site, refreshForm(site.extra.web, tokens.refresh_token));
    expect(`${status} ${body['error']}`).toBe('400 invalid_grant');
    const again = await walk(agent, url(), owner(), { organization: site.made.organization.id });
    expect(again.end.status).toBe(422);
  });

  test('a code of a person who left in the meantime is invalid_grant', async () => {
    const { redemption } = await getCode(site, {
      agent,
      person: owner(),
      client: site.extra.web,
    });
    await sql()('memberships').where({ user_id: owner().id }).delete();
    const { status, body } = await tokenRequest(site, redemption);
    expect(`${status} ${body['error']}`).toBe('400 invalid_grant');
  });

  test('scopes that the app lost are gone from its tokens', async () => {
    const tokens = await tokensOf({ params: { scope: 'prompts:read reports:read' } });
    await sql()('apps')
      .where({ id: site.extra.web.clientId })
      .update({ scopes: ['prompts:read'] });
    try {
      await oneSecond();
      expect((await me(site, tokens.access_token)).body['scopes']).toEqual(['prompts:read']);
      const refreshed = await tokenRequest(site, refreshForm(site.extra.web, tokens.refresh_token));
      expect(refreshed.body['scope']).toBe('prompts:read');
    } finally {
      await sql()('apps')
        .where({ id: site.extra.web.clientId })
        .update({
          scopes: sql().raw('(SELECT scopes FROM apps WHERE id = ?)', [site.extra.native.clientId]),
        });
    }
  });

  test('a deleted app: 401 at /v1, invalid_client at the token endpoint', async () => {
    const app = await addApp(site.services, site.made, { name: 'Short-lived' });
    const tokens = await tokensOf({ client: app });
    await sql()('apps').where({ id: app.clientId }).delete();
    await oneSecond();
    const answer = await me(site, tokens.access_token);
    expect(`${answer.status} ${answer.body['code']}`).toBe('401 credential_revoked');
    const { status, body } = await tokenRequest(site, refreshForm(app, tokens.refresh_token));
    expect(`${status} ${body['error']}`).toBe('401 invalid_client');
  });

  test('each consent is in the audit log, with what was given and what was not', async () => {
    await sql()('audit_events').where({ type: 'consent.granted' }).delete();
    await tokensOf({ answer: { scopes: ['prompts:read'] } });
    expect(await sql()('audit_events').where({ type: 'consent.granted' })).toEqual([
      expect.objectContaining({
        organization_id: site.made.organization.id,
        actor_type: 'user',
        actor_id: owner().id,
        target_id: site.extra.web.clientId,
        data: { scopes: ['prompts:read'], rejected: ['prompts:write', 'reports:read'] },
      }),
    ]);
  });

  test('names are shown as text: no markup, no reordering of what stands beside them', async () => {
    const evil = await addApp(site.services, site.made, {
      name: '<script>alert(1)</script>\u202Egnp.exe" onload="x',
      homepageUrl: 'https://evil.example/"><script>alert(2)</script>',
      logoUrl: 'https://evil.example/logo.png" onerror="alert(3)',
    });
    const { consent } = await walk(agent, url({ scope: 'prompts:read' }, evil), owner(), {
      decision: 'deny',
    });
    expect(consent?.html).toContain('&lt;script&gt;alert(1)');
    expect(consent?.html).not.toContain('<script>alert');
    expect(consent?.html).not.toContain('" onload="');
    expect(consent?.html).not.toContain('" onerror="');
    expect(consent?.html).not.toContain('\u202E');
  });
});
