import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Role } from '../../config/roles.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { isSignedIn, mailedLink, mailTo, newcomer, signIn } from '../accounts/support.ts';
import { getTokens, refreshForm, tokenRequest } from '../oauth/support.ts';
import { callApi, me } from '../support/api.ts';
import { AMPLE } from '../support/limits.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { createUserAgent } from '../support/user-agent.ts';

type Body = {
  id: string;
  code: string;
  data: Body[];
  [member: string]: unknown;
};

const PEOPLE = {
  owner: 'owner',
  second: 'owner',
  admin: 'admin',
  member: 'member',
  viewer: 'viewer',
  leaving: 'admin',
  lowered: 'admin',
  demoted: 'owner',
} as const satisfies Record<string, Role>;

type Name = keyof typeof PEOPLE;

type Extra = {
  home: string;
  people: Record<Name, Person>;
  /** The only owner of an organization of their own. */
  alone: { organizationId: string; owner: Person; other: Person };
  /** Two owners, for the race. */
  pair: { organizationId: string; owners: [Person, Person] };
};

const suite = (database: 'postgresql' | 'embedded'): void => {
  let site: PreparedSite<Extra>;
  const tokens = new Map<string, string>();

  const call = (method: string, path: string, credential: string, body?: object) =>
    callApi<Body>(site, credential, method, path, body);

  const fullTokens = (person: Person, organization: string) =>
    getTokens(site, {
      agent: createUserAgent(site.server.url),
      person,
      answer: { organization },
      params: { scope: ALL_SCOPES.join(' '), prompt: 'consent' },
    });

  /** A token of this person with every scope that their role may give. */
  const tokenOf = async (person: Person, organization = site.extra.home): Promise<string> => {
    const known = tokens.get(person.id);
    if (known) return known;
    const token = (await fullTokens(person, organization)).access_token;
    tokens.set(person.id, token);
    return token;
  };

  const as = async (name: Name, method: string, path: string, body?: object) =>
    call(method, path, await tokenOf(site.extra.people[name]), body);

  const MEMBERS = '/v1/organization/members';

  const invite = (name: Name, email: string, role: Role = 'member') =>
    as(name, 'POST', MEMBERS, { email, role });

  const events = async (query = '') =>
    (await as('owner', 'GET', `/v1/organization/audit-log?limit=100${query}`)).body.data;

  /** `/v1/me` once the change has reached the process: within a second, as the contract says. */
  const meSoon = async (credential: string, isDone: (answer: Awaited<ReturnType<typeof me>>) => boolean) => {
    const until = Date.now() + 1_000;
    let answer = await me(site, credential);
    while (!isDone(answer) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await me(site, credential);
    }
    return answer;
  };
  const refusal = (credential: string) => meSoon(credential, ({ status }) => status !== 200);

  /** Starts the work while no role can be written, so that every request has looked before the first one writes. */
  const whileRolesAreHeld = async <T>(organizationId: string, work: () => Promise<T>): Promise<T> => {
    if (database === 'embedded') return work(); // one connection: nothing can run at once
    const { sql, transaction } = site.services.database;
    let working: Promise<T> | undefined;
    await transaction(async () => {
      await sql()('memberships').where({ organization_id: organizationId }).forUpdate().select('role');
      working = work();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    });
    return working as Promise<T>;
  };

  beforeAll(async () => {
    site = await startPreparedSite(database, async (services, made) => {
      const home = made.organization.id;
      const people = {} as Record<Name, Person>;
      for (const [name, role] of Object.entries(PEOPLE) as [Name, Role][]) {
        people[name] = await addPerson(
          services,
          `${name}@example.com`,
          [{ organizationId: home, role }],
          name,
        );
      }
      const owner = await addPerson(services, 'alone@example.com', []);
      const elsewhere = await services.createOrganization({ name: 'Elsewhere', ownerId: owner.id });
      const other = await addPerson(services, 'other@example.com', [
        { organizationId: elsewhere.id, role: 'member' },
      ]);
      const first = await addPerson(services, 'first@example.com', []);
      const race = await services.createOrganization({ name: 'Race', ownerId: first.id });
      await services.setPlan(race.id, AMPLE.plan, AMPLE.own);
      const second = await addPerson(services, 'second-owner@example.com', [
        { organizationId: race.id, role: 'owner' },
      ]);
      return {
        home,
        people,
        alone: { organizationId: elsewhere.id, owner, other },
        pair: { organizationId: race.id, owners: [first, second] as [Person, Person] },
      };
    });
  }, 60_000);

  afterAll(() => site?.stop());

  test('an organization is read by its members, and renamed by its admins', async () => {
    const read = await as('viewer', 'GET', '/v1/organization');
    expect(read).toEqual({
      status: 200,
      body: {
        object: 'organization',
        leakedSecrets: 'revoke',
        id: site.extra.home,
        name: site.made.organization.name,
        plan: 'enterprise',
        requireSecondFactor: false,
        ipAllowlist: [],
        createdAt: expect.any(String),
      },
    });
    expect((await as('member', 'PATCH', '/v1/organization', { name: 'Mine' })).status).toBe(403);
    const renamed = await as('admin', 'PATCH', '/v1/organization', { name: 'New name' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'New name', id: site.extra.home } });
    expect((await as('viewer', 'GET', '/v1/organization')).body['name']).toBe('New name');
    for (const name of ['', ' ', 'a\nb', 'n'.repeat(101)]) {
      expect((await as('admin', 'PATCH', '/v1/organization', { name })).status).toBe(422);
    }
    expect((await as('admin', 'PATCH', '/v1/organization', { plan: 'enterprise' })).status).toBe(422);
  });

  test('a sandbox credential reads the organization, its members and its log, and changes none of them', async () => {
    const { test: key } = site.made.apiKeys;
    for (const path of ['/v1/organization', MEMBERS, '/v1/organization/audit-log']) {
      expect([path, (await call('GET', path, key)).status]).toEqual([path, 200]);
    }
    const { id } = site.extra.people.viewer;
    expect((await call('PATCH', '/v1/organization', key, { name: 'x' })).status).toBe(403);
    expect((await call('POST', MEMBERS, key, { email: 'x@example.com', role: 'viewer' })).status).toBe(403);
    expect((await call('PATCH', `${MEMBERS}/${id}`, key, { role: 'member' })).status).toBe(403);
    expect((await call('DELETE', `${MEMBERS}/${id}`, key)).status).toBe(403);
  });

  test('members and open invitations are one list, paged, newest first', async () => {
    await invite('admin', 'listed@example.com');
    const seen: Body[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await as('viewer', 'GET', `${MEMBERS}?limit=2${cursor}`);
      seen.push(...body.data);
      if (body['nextCursor'] === null) break;
      cursor = `&cursor=${String(body['nextCursor'])}`;
    }
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id } of Object.values(site.extra.people)) expect(ids).toContain(id);
    const times = seen.map(({ createdAt }) => String(createdAt));
    expect(times).toEqual([...times].sort().reverse());
    expect(seen.find(({ email }) => email === 'listed@example.com')).toEqual({
      object: 'member',
      id: expect.stringMatching(/^inv_/),
      email: 'listed@example.com',
      name: null,
      role: 'member',
      status: 'invited',
      createdAt: expect.any(String),
    });
    expect((await as('viewer', 'GET', `${MEMBERS}?cursor=nonsense`)).status).toBe(422);
  });

  test("another organization's ids give 404", async () => {
    const { alone } = site.extra;
    const there = await tokenOf(alone.owner, alone.organizationId);
    const invited = (await call('POST', MEMBERS, there, { email: 'far@example.com', role: 'viewer' })).body
      .id;
    for (const id of [alone.owner.id, alone.other.id, invited]) {
      expect((await as('owner', 'DELETE', `${MEMBERS}/${id}`)).status).toBe(404);
      expect((await as('owner', 'PATCH', `${MEMBERS}/${id}`, { role: 'viewer' })).status).toBe(404);
    }
    const log = (await call('GET', '/v1/organization/audit-log?limit=100', there)).body.data;
    expect(log.map(({ type }) => type)).toEqual([
      'member.invited',
      'consent.granted',
      'organization.created',
    ]);
  });

  test('nobody grants a role above their own, and only an owner makes, changes or removes an owner', async () => {
    const { second, viewer } = site.extra.people;
    expect((await invite('admin', 'above@example.com', 'owner')).status).toBe(403);
    expect((await as('admin', 'PATCH', `${MEMBERS}/${viewer.id}`, { role: 'owner' })).status).toBe(403);
    expect((await as('admin', 'PATCH', `${MEMBERS}/${second.id}`, { role: 'viewer' })).status).toBe(403);
    expect((await as('admin', 'DELETE', `${MEMBERS}/${second.id}`)).status).toBe(403);
    const { live } = site.made.apiKeys; // its creator is an owner
    expect((await call('PATCH', `${MEMBERS}/${second.id}`, live, { role: 'viewer' })).status).toBe(403);
    expect((await call('DELETE', `${MEMBERS}/${second.id}`, live)).status).toBe(403);
    expect((await call('PATCH', `${MEMBERS}/${viewer.id}`, live, { role: 'owner' })).status).toBe(403);
    const { body: invitation } = await invite('owner', 'future-owner@example.com', 'owner');
    expect((await as('admin', 'DELETE', `${MEMBERS}/${invitation.id}`)).status).toBe(403);
    expect((await as('owner', 'DELETE', `${MEMBERS}/${invitation.id}`)).status).toBe(204);
    expect((await as('member', 'PATCH', `${MEMBERS}/${viewer.id}`, { role: 'member' })).status).toBe(403);
  });

  test('the last owner can neither be demoted nor leave', async () => {
    const { owner, other, organizationId } = site.extra.alone;
    const token = await tokenOf(owner, organizationId);
    expect((await call('PATCH', `${MEMBERS}/${owner.id}`, token, { role: 'admin' })).status).toBe(409);
    expect((await call('DELETE', `${MEMBERS}/${owner.id}`, token)).status).toBe(409);
    expect((await call('PATCH', `${MEMBERS}/${other.id}`, token, { role: 'owner' })).status).toBe(200);
    expect((await call('DELETE', `${MEMBERS}/${owner.id}`, token)).status).toBe(204);
    expect((await refusal(token)).status).toBe(401);
  });

  test('of 50 concurrent demotions of two owners, exactly one is done: an owner is left', async () => {
    const { organizationId, owners } = site.extra.pair;
    const credentials = [await tokenOf(owners[0], organizationId), await tokenOf(owners[1], organizationId)];
    const demoteAll = () =>
      Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          call('PATCH', `${MEMBERS}/${owners[i % 2]?.id}`, credentials[(i >> 1) % 2] ?? '', {
            role: 'viewer',
          }),
        ),
      );
    const answers = await whileRolesAreHeld(organizationId, demoteAll);
    const statuses = new Set(answers.map(({ status }) => status));
    for (const status of statuses) expect([200, 401, 403, 409]).toContain(status);
    const left = await Promise.all(credentials.map((credential) => call('GET', MEMBERS, credential)));
    const list = left.find(({ status }) => status === 200)?.body.data ?? [];
    expect(list.map(({ role }) => String(role)).sort()).toEqual(['owner', 'viewer']);
  }, 30_000);

  test("a removed member's key, token and refresh token are refused at once, and so is what they invited", async () => {
    const { leaving } = site.extra.people;
    const given = await fullTokens(leaving, site.extra.home);
    const { body: made } = await call('POST', '/v1/api-keys', given.access_token, {
      name: 'Key',
      environment: 'live',
      scopes: ['prompts:read'],
    });
    const key = String(made['key']);
    await call('POST', MEMBERS, given.access_token, { email: 'guest-of@example.com', role: 'viewer' });
    const link = await mailedLink(site.server, 'guest-of@example.com');
    expect((await me(site, key)).status).toBe(200);

    expect((await as('owner', 'DELETE', `${MEMBERS}/${leaving.id}`)).status).toBe(204);

    for (const credential of [key, given.access_token]) {
      expect(await refusal(credential)).toMatchObject({ status: 401, body: { code: 'credential_revoked' } });
    }
    const { web } = site.made.apps;
    const refreshed = await tokenRequest(site, refreshForm(web, given.refresh_token));
    expect(refreshed.body).toMatchObject({ error: 'invalid_grant' });
    const { agent } = await signIn(site.server, leaving);
    expect((await agent.open(link)).status).toBe(400);
    expect((await as('owner', 'DELETE', `${MEMBERS}/${leaving.id}`)).status).toBe(404);
    const [event] = await events(`&targetId=${leaving.id}&type=member.removed`);
    expect(event).toMatchObject({
      actor: { type: 'user', id: site.extra.people.owner.id },
      data: { role: 'admin' },
    });
  });

  test('a lowered role takes effect at once, on the tokens that are out and on open invitations', async () => {
    const { lowered } = site.extra.people;
    const token = await tokenOf(lowered);
    await call('POST', MEMBERS, token, { email: 'guest-two@example.com', role: 'admin' });
    const link = await mailedLink(site.server, 'guest-two@example.com');
    const change = await as('owner', 'PATCH', `${MEMBERS}/${lowered.id}`, { role: 'viewer' });
    expect(change).toMatchObject({ status: 200, body: { id: lowered.id, role: 'viewer', status: 'active' } });
    const readOnly = ALL_SCOPES.filter((scope) => scope.endsWith(':read'));
    const left = await meSoon(token, ({ body }) => String(body['scopes']) === String(readOnly));
    expect(left.body['scopes']).toEqual(readOnly);
    expect((await call('PATCH', '/v1/organization', token, { name: 'x' })).status).toBe(403);
    const { agent } = await signIn(site.server, lowered);
    expect((await agent.open(link)).status).toBe(400);
  });

  test('a person may remove themself', async () => {
    const { demoted } = site.extra.people;
    expect((await as('demoted', 'DELETE', `${MEMBERS}/${demoted.id}`)).status).toBe(204);
    const [event] = await events(`&targetId=${demoted.id}&type=member.removed`);
    expect(event).toMatchObject({ actor: { id: demoted.id }, data: { left: true } });
  });

  test.each([
    'nobody',
    'a@b',
    'two@example.com, three@example.com',
    'x<someone@example.com',
    'x,someone@example.com',
    'line@example.com\r\nBcc: other@example.com',
    `${'a'.repeat(250)}@example.com`,
  ])('%j can not be invited', async (email) => {
    expect((await invite('admin', email)).status).toBe(422);
  });

  test('a member can not be invited again, in any spelling of their address', async () => {
    expect((await invite('admin', ' VIEWER@example.com ')).status).toBe(409);
  });

  test('an invitation is mailed, seen by whom it is for alone, and accepted once', async () => {
    const { other } = site.extra.alone;
    const { status, body } = await invite('admin', other.email, 'viewer');
    expect([status, body['status'], body['role']]).toEqual([201, 'invited', 'viewer']);
    const [mail] = await mailTo(site.server, other.email);
    expect(mail?.links.map((url) => new URL(url).origin)).toEqual([site.server.url]);
    const link = mail?.links[0] ?? '';

    const stranger = await signIn(site.server, site.extra.people.member);
    const refused = await stranger.agent.open(link);
    expect(refused.status).toBe(403);
    expect(refused.html).not.toContain(other.email);
    const ownForm = await stranger.agent.open('/logout');
    const taken = await fetch(new URL('/account/invitations', site.server.url), {
      method: 'POST',
      headers: { Cookie: await stranger.agent.jar.getCookieString(link), Accept: 'text/html' },
      body: new URLSearchParams({
        token: new URL(link).searchParams.get('token') ?? '',
        _csrf: /name="_csrf" value="([^"]*)"/.exec(ownForm.html)?.[1] ?? '',
      }),
    });
    expect(taken.status).toBe(403);
    expect(await taken.text()).toContain('another address');

    const agent = createUserAgent(site.server.url);
    const login = await agent.open(link);
    expect(new URL(login.url).pathname).toBe('/login');
    const page = await agent.submit(login, { email: other.email, password: other.password }, '/login');
    expect(page.url).toBe(link);
    expect(page.html).toContain('viewer');
    expect(page.html).toContain('New name');
    const forged = await fetch(new URL('/account/invitations', site.server.url), {
      method: 'POST',
      headers: { Cookie: await agent.jar.getCookieString(link) },
      body: new URLSearchParams({ token: new URL(link).searchParams.get('token') ?? '' }),
    });
    expect(forged.status).toBe(403);
    const joined = await agent.submit(page, {}, '/account/invitations');
    expect([joined.status, joined.html.includes('You have joined')]).toEqual([200, true]);
    expect((await agent.submit(page, {}, '/account/invitations')).status).toBe(400);

    const { data } = (await as('owner', 'GET', `${MEMBERS}?limit=100`)).body;
    expect(data.filter(({ email }) => email === other.email)).toMatchObject([
      { id: other.id, role: 'viewer', status: 'active' },
    ]);
    const [event] = await events(`&type=member.joined&actorId=${other.id}`);
    expect(event).toMatchObject({ targetId: other.id, data: { role: 'viewer' } });
  });

  test('inviting again replaces the earlier invitation; a withdrawn one leads nowhere', async () => {
    const email = 'twice@example.com';
    const { agent } = await signIn(site.server, site.extra.people.viewer);
    await invite('admin', email);
    const first = await mailedLink(site.server, email);
    const { body } = await invite('admin', email, 'admin');
    const second = await mailedLink(site.server, email, 2);
    expect((await agent.open(first)).status).toBe(400);
    expect((await agent.open(second)).status).toBe(403);
    const listed = (await as('admin', 'GET', `${MEMBERS}?limit=100`)).body.data;
    expect(listed.filter((one) => one['email'] === email)).toHaveLength(1);
    expect((await as('admin', 'DELETE', `${MEMBERS}/${body.id}`)).status).toBe(204);
    expect((await agent.open(second)).status).toBe(400);
    expect((await as('admin', 'DELETE', `${MEMBERS}/${body.id}`)).status).toBe(404);
  });

  test('somebody without an account signs up through the invitation, and joins', async () => {
    const person = newcomer({ email: `invited-${database}@example.com` });
    await invite('owner', person.email, 'admin');
    const link = await mailedLink(site.server, person.email);
    const agent = createUserAgent(site.server.url);
    const login = await agent.open(link);
    const signUpUrl = /href="(\/signup[^"]*)"/.exec(login.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    await agent.submit(await agent.open(signUpUrl), person, '/signup');
    const confirm = await agent.open(await mailedLink(site.server, person.email, 2));
    const confirmed = await agent.submit(confirm, {}, '/confirm-email');
    const signInUrl = /href="(\/login[^"]*)"/.exec(confirmed.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const page = await agent.submit(
      await agent.open(signInUrl),
      { email: person.email, password: person.password },
      '/login',
    );
    expect(page.url).toBe(link);
    expect((await agent.submit(page, {}, '/account/invitations')).status).toBe(200);
    expect(await isSignedIn(agent, person.email)).toBe(true);
    expect((await agent.open('/')).html).toContain('New name');
  });

  test("an organization's name brings neither a link nor lines of its own into the mail", async () => {
    await as('admin', 'PATCH', '/v1/organization', { name: 'Win at https://evil.example/prize' });
    await invite('admin', 'lured@example.com');
    const [mail] = await mailTo(site.server, 'lured@example.com');
    await as('admin', 'PATCH', '/v1/organization', { name: 'New name' });
    expect(mail?.links.map((url) => new URL(url).origin)).toEqual([site.server.url]);
    expect(`${mail?.subject}${mail?.text}`).not.toContain('evil.example');
  });

  test('the audit log is paged, newest first, and filtered', async () => {
    const { admin } = site.extra.people;
    const all = await events();
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect(all[0]).toMatchObject({ object: 'audit_event', ip: '127.0.0.1', createdAt: expect.any(String) });
    const firstPage = (await as('viewer', 'GET', '/v1/organization/audit-log?limit=3')).body;
    const cursor = String(firstPage['nextCursor']);
    const secondPage = (await as('viewer', 'GET', `/v1/organization/audit-log?limit=3&cursor=${cursor}`))
      .body;
    expect([...firstPage.data, ...secondPage.data].map(({ id }) => id)).toEqual(ids.slice(0, 6));

    const byAdmin = await events(`&actorId=${admin.id}&type=organization.updated`);
    expect(byAdmin.length).toBeGreaterThan(0);
    for (const event of byAdmin) {
      expect(event).toMatchObject({ type: 'organization.updated', actor: { type: 'user', id: admin.id } });
    }
    const at = String(byAdmin[0]?.['createdAt']);
    const from = await events(`&from=${at}`);
    const to = await events(`&to=${at}`);
    expect([...from, ...to].map(({ id }) => id)).toEqual(ids);
    expect(to.every(({ createdAt }) => String(createdAt) <= at)).toBe(true);
    expect(await events('&type=no.such')).toEqual([]);
    for (const bad of ['from=yesterday', 'type=x', 'actorId=1', 'who=me', 'from=2026-01-01']) {
      expect([bad, (await as('owner', 'GET', `/v1/organization/audit-log?${bad}`)).status]).toEqual([
        bad,
        422,
      ]);
    }
  });
};

describeWith('postgresql', 'The organization over /v1 on PostgreSQL', () => {
  suite('postgresql');
});
describe('The organization over /v1 on the embedded database', () => {
  suite('embedded');
});
