import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getTokens, refreshForm, tokenRequest, walk } from '../oauth/support.ts';
import { me } from '../support/api.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { addPeople, type Person } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { codeOf, setUpTotp } from './second-factor-support.ts';
import { signIn } from './support.ts';

describeWith('postgresql', 'What a person is connected to', () => {
  let site: TwoNodes<{
    people: Record<'ada' | 'bob' | 'leaving' | 'bare' | 'guarded', Person>;
    app: Client;
    strict: string;
  }>;
  let agent: UserAgent;

  beforeAll(async () => {
    site = await startTwoNodes(
      async (services, made) => {
        const people = await addPeople(
          services,
          made,
          ['ada', 'bob', 'leaving', 'bare', 'guarded'],
          'member',
        );
        const app = await addApp(services, made, { name: 'Northwind Reports' });
        const strict = await services.createOrganization({ name: 'Strict', ownerId: people.guarded.id });
        await services.organizations.addMember({
          organizationId: strict.id,
          userId: people.bare.id,
          role: 'member',
        });
        return { people, app, strict: strict.id };
      },
      { CREDENTIAL_CACHE_SECONDS: '3600' },
    );
  }, 120_000);

  afterAll(() => site?.stop());

  beforeEach(() => {
    agent = createUserAgent(site.server.url);
  });

  describe('apps', () => {
    test('are listed with what they may do and when they last did; withdrawn, their tokens are refused on every process', async () => {
      const { people, app } = site.extra;
      const tokens = await getTokens(site, { agent, person: people.ada, client: app });
      const before = await agent.open('/account/apps');
      expect(before.html).toContain('Northwind Reports');
      expect(before.html).toContain('See your prompts and all their versions');
      expect(before.html).not.toContain('See your organization');
      expect(before.html).toContain('not used yet');
      const statusAt = async (node: ServerProcess) =>
        (await requestAt(node, '/v1/me', { credential: tokens.access_token })).status;
      for (const node of site.nodes) expect(await statusAt(node)).toBe(200); // and is remembered there
      await usedIsShown();

      const link = /href="(\/account\/apps\/[^"]+\/withdraw)"/.exec(before.html)?.[1] ?? '';
      const done = await agent.submit(await agent.open(link), {}, '/withdraw');
      expect(done.html).toContain('No app is connected');
      const deadline = Date.now() + 1_000;
      for (const node of site.nodes) {
        let status = await statusAt(node);
        while (status !== 401 && Date.now() < deadline) status = await statusAt(node);
        expect(status).toBe(401);
      }
      const refreshed = await tokenRequest(site, refreshForm(app, tokens.refresh_token));
      expect(refreshed.body).toMatchObject({ error: 'invalid_grant' });
      const { rows } = await site.services.database
        .sql()
        .raw<{ rows: object[] }>(
          "SELECT actor_id, target_id FROM audit_events WHERE type = 'grant.withdrawn'",
        );
      expect(rows).toEqual([{ actor_id: people.ada.id, target_id: app.clientId }]);
      const asked = await walk(
        agent,
        authorizationUrl(site, pkce().challenge, clientParams(app)),
        people.ada,
      );
      expect(asked.consent).toBeDefined();
    });

    test("another person's can't be seen or withdrawn", async () => {
      const { people, app } = site.extra;
      const browser = createUserAgent(site.server.url);
      const tokens = await getTokens(site, { agent: browser, person: people.ada, client: app });
      const link = /href="(\/account\/apps\/[^"]+\/withdraw)"/.exec(
        (await browser.open('/account/apps')).html,
      )?.[1];
      await signIn(site.server, people.bob, agent);
      const own = await agent.open('/account/apps');
      expect(own.html).toContain('No app is connected');
      expect((await agent.open(link ?? '')).status).toBe(404);
      const forged = { ...own, html: own.html.replaceAll('action="/logout"', `action="${link}"`) };
      expect((await agent.submit(forged, {}, '/withdraw')).status).toBe(404);
      expect((await me(site, tokens.access_token)).status).toBe(200);
    });

    /** The use is written within a second or so, off the request's path. */
    async function usedIsShown(): Promise<void> {
      const deadline = Date.now() + 10_000;
      while ((await agent.open('/account/apps')).html.includes('not used yet')) {
        if (Date.now() > deadline) throw new Error('the use was not written');
      }
      expect((await agent.open('/account/apps')).html).toContain('last used');
    }
  });

  describe('organizations', () => {
    test('a member leaves by themself, and what apps hold there ends', async () => {
      const { people, app } = site.extra;
      const tokens = await getTokens(site, { agent, person: people.leaving, client: app });
      const path = `/account/organizations/${site.made.organization.id}/leave`;
      expect((await agent.open('/account/organizations')).html).toContain(path);
      const done = await agent.submit(await agent.open(path), {}, '/leave');
      expect(done.html).toContain('You belong to no organization');
      expect((await agent.open(path)).status).toBe(404);
      expect((await me(site, tokens.access_token)).status).toBe(401);
    });

    test('the last owner is refused with words, and stays', async () => {
      const { people, strict } = site.extra;
      await signIn(site.server, people.guarded, agent);
      const path = `/account/organizations/${strict}/leave`;
      const refused = await agent.submit(await agent.open(path), {}, '/leave');
      expect(refused.status).toBe(409);
      expect(refused.html).toContain('make another member an owner first');
      expect((await agent.open('/account/organizations')).html).toContain(path);
    });
  });

  describe('an organization that requires a second factor', () => {
    const require = (person: Person, on: boolean) => {
      const { changeOrganization } = site.services;
      const { strict } = site.extra;
      const principal = {
        method: 'oauth_user',
        id: person.id,
        userId: person.id,
        organizationId: strict,
        environment: 'live',
        scopes: ['organization:admin'],
      } as const;
      return changeOrganization({ principal, ip: '127.0.0.1' }, { requireSecondFactor: on });
    };

    test('can be made so by who has one alone', async () => {
      const { guarded } = site.extra.people;
      await expect(require(guarded, true)).rejects.toMatchObject({ code: 'conflict' });
      await setUpTotp(site, guarded, agent);
      expect(await require(guarded, true)).toMatchObject({ requireSecondFactor: true });
    });

    test('leads a member without one from the console to the set-up, and back', async () => {
      const { people, strict } = site.extra;
      await signIn(site.server, people.bare, agent);
      const led = await agent.open(`/console/${strict}/live`);
      expect(led.url).toContain('/account/security?required=1');
      expect(led.html).toContain('requires a second step');
      expect((await agent.open(`/console/${site.made.organization.id}/live`)).url).toContain('/console/');
    });

    test('lets no app in before it is set up; afterwards the request goes on', async () => {
      const { people, app, strict } = site.extra;
      const url = authorizationUrl(site, pkce().challenge, clientParams(app));
      await require(people.guarded, false);
      const first = await walk(agent, url, people.bare, { organization: strict });
      expect(first.end.leftTo).toBeDefined();
      await require(people.guarded, true);
      // What was allowed before does not go on by itself.
      const again = await walk(agent, url, people.bare, { organization: strict });
      expect(again.consent).toBeDefined();
      expect(again.end.url).toContain('/account/security?required=1');

      const totpUrl = /href="(\/account\/security\/totp[^"]*)"/.exec(again.end.html)?.[1] ?? '';
      const form = await agent.open(totpUrl.replaceAll('&amp;', '&'));
      const key = /class="totp-key"[^>]*>([^<]+)</.exec(form.html)?.[1]?.replaceAll(' ', '') ?? '';
      const codes = await agent.submit(form, { code: codeOf(key, -1) }, '/totp');
      const back = /class="button button-primary" href="([^"]+)"/
        .exec(codes.html)?.[1]
        ?.replaceAll('&amp;', '&');
      const done = await walk(agent, back ?? '', people.bare, { organization: strict });
      expect(done.end.leftTo?.searchParams.get('code')).toBeTruthy();
    });
  });

  const clientParams = (app: Client) => ({ client_id: app.clientId, redirect_uri: app.redirectUris[0] });
});
