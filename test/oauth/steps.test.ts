import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mailTo } from '../accounts/support.ts';
import { me } from '../support/api.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, PASSWORD, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, claimsOf, pkce } from '../support/site.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { callbackOf, getCode, getTokens, refreshForm, tokenRequest, walk } from './support.ts';

describeWith('postgresql', 'The steps of an authorization', () => {
  let site: PreparedSite<{ ada: Person; bob: Person }>;
  let agent: UserAgent;
  const sql = () => site.services.database.sql();

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', async (services, made) => {
      const membership = { organizationId: made.organization.id, role: 'owner' } as const;
      return {
        ada: await addPerson(services, 'ada@example.com', [membership]),
        bob: await addPerson(services, 'bob@example.com', [membership]),
      };
    });
  }, 120_000);

  afterAll(() => site?.stop());

  beforeEach(async () => {
    agent = createUserAgent(site.server.url);
    await sql()('grants').delete();
    await sql()('users').update({ deactivated_at: null });
  });

  const url = (params: Record<string, string | undefined> = {}) =>
    authorizationUrl(site, pkce().challenge, params);

  const ada = () => site.extra.ada;

  /** The consent page, after signing in. */
  async function atConsent(browser = agent, person = ada()): Promise<Page> {
    const login = await browser.open(url({ prompt: 'consent' }));
    const page = login.html.includes('name="password"')
      ? await browser.submit(login, { email: person.email, password: person.password }, '/login')
      : login;
    expect(page.html).toContain('name="decision"');
    return page;
  }

  const actionOf = (page: Page): URL =>
    new URL(/<form class="(?:consent|stack)"[^>]*action="([^"]*)"/.exec(page.html)?.[1] ?? '', page.url);
  const csrfOf = (page: Page): string => /name="_csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';

  /** Posts whatever a test likes with a browser's cookies. */
  async function post(
    browser: UserAgent,
    target: URL,
    fields: Record<string, string> | string,
    headers: Record<string, string> = { Origin: site.server.url },
  ): Promise<Response> {
    return fetch(target, {
      method: 'POST',
      redirect: 'manual',
      body: typeof fields === 'string' ? fields : new URLSearchParams(fields),
      headers: {
        Accept: 'text/html',
        'Content-Type': 'application/x-www-form-urlencoded',
        Cookie: await browser.jar.getCookieString(target.href),
        ...headers,
      },
    });
  }

  /** What the form of a consent page sends when it is allowed. */
  const allow = (page: Page, scope = 'prompts:read') => ({
    _csrf: csrfOf(page),
    decision: 'allow',
    scope,
    organization: site.made.organization.id,
  });

  const grants = () => sql()('grants').where({ user_id: ada().id });

  async function expectRefused(response: Response, statuses = [400, 403]): Promise<void> {
    expect(statuses).toContain(response.status);
    expect(response.headers.get('location')).toBeNull();
    await response.body?.cancel();
    expect(await grants()).toEqual([]);
  }

  describe('out of order', () => {
    test('an empty consent POST gives nothing (authentik CVE-2026-49443)', async () => {
      const page = await atConsent();
      await expectRefused(await post(agent, actionOf(page), ''));
      await expectRefused(await post(agent, actionOf(page), { _csrf: csrfOf(page) }));
      await expectRefused(await post(agent, actionOf(page), { _csrf: csrfOf(page), decision: '' }));
      await expectRefused(await post(agent, actionOf(page), { _csrf: csrfOf(page), decision: 'ALLOW' }));
    });

    test('a consent POST on the sign-in step is refused', async () => {
      const page = await agent.open(url());
      const target = new URL(actionOf(page).pathname.replace(/\/login$/, '/consent'), page.url);
      await expectRefused(await post(agent, target, allow(page)));
    });

    test('a sign-in POST on the consent step is refused, and nobody else is signed in by it', async () => {
      const page = await atConsent();
      const target = new URL(actionOf(page).pathname.replace(/\/consent$/, '/login'), page.url);
      const { bob } = site.extra;
      const form = { _csrf: csrfOf(page), email: bob.email, password: bob.password };
      await expectRefused(await post(agent, target, form));
      const done = await agent.submit(page, { decision: 'allow', scope: ['prompts:read'] }, '/consent');
      expect(done.leftTo?.searchParams.get('code')).toBeTruthy();
      expect(await grants()).toHaveLength(1);
    });

    test('the end of an authorization can not be called without its steps', async () => {
      const page = await agent.open(url());
      const uid = /interaction\/([^/?]+)/.exec(page.url)?.[1] ?? '';
      const end = await agent.open(`/oauth/authorize/${uid}`);
      expect(end.leftTo?.searchParams.get('code') ?? null).toBeNull();
      expect(await grants()).toEqual([]);
    });

    test('a consent that was answered can not be answered again', async () => {
      const page = await atConsent();
      await agent.submit(page, { decision: 'allow', scope: ['prompts:read'] }, '/consent');
      const again = await post(agent, actionOf(page), allow(page, 'prompts:write'));
      expect(again.status).toBe(400);
      expect(again.headers.get('location')).toBeNull();
    });

    test('parameters that are added at the end of an authorization are not read: prompt, scope, redirect_uri', async () => {
      const page = await atConsent();
      const answered = await post(agent, actionOf(page), allow(page));
      const resume = new URL(answered.headers.get('location') ?? '', page.url);
      for (const [name, value] of Object.entries({
        prompt: 'none',
        scope: 'organization:admin',
        redirect_uri: 'https://evil.example/',
        client_id: site.made.apps.spa.clientId,
        state: 'evil',
        code_challenge: 'x'.repeat(43),
      })) {
        resume.searchParams.set(name, value);
      }
      const { leftTo } = await agent.open(resume.href);
      expect(leftTo?.href).toMatch(/^http:\/\/localhost:8080\/callback\?/);
      expect(leftTo?.searchParams.get('state')).toBe('the-state');
    });

    test('parameters that are added to a step are not read', async () => {
      const page = await atConsent();
      const target = actionOf(page);
      target.search = '?prompt=none&scope=organization:admin&organization=org_evil';
      const done = await post(agent, target, {
        ...allow(page),
        prompt: 'none',
        accountId: site.extra.bob.id,
        grantId: 'evil',
      });
      expect(done.status).toBe(303);
      expect(await grants()).toEqual([
        expect.objectContaining({ user_id: ada().id, organization_id: site.made.organization.id }),
      ]);
    });
  });

  describe('of another browser', () => {
    test('the pages and forms of an authorization are closed to a browser that did not begin it', async () => {
      const page = await atConsent();
      for (const stranger of [createUserAgent(site.server.url), await signedInAs(site.extra.bob)]) {
        const looked = await stranger.open(page.url);
        expect(looked.status).toBe(400);
        expect(looked.html).not.toContain(ada().email);
        const own = await stranger.open(url({ prompt: 'consent' }));
        await expectRefused(await post(stranger, actionOf(page), allow(own)));
      }
    });

    test('nor do they open to the cookie of another authorization, sent where it does not belong', async () => {
      const [page, own] = [await atConsent(), await atConsent(await signedInAs(site.extra.bob))];
      const mine = createUserAgent(site.server.url);
      const other = await mine.open(url({ prompt: 'consent' }));
      const headers = { Cookie: await mine.jar.getCookieString(other.url), Accept: 'text/html' };
      for (const there of [page.url, own.url]) {
        const looked = await fetch(there, { headers });
        expect(looked.status).toBe(400);
        expect(await looked.text()).toContain('Go back to the app and start again');
      }
      expect((await fetch(other.url, { headers })).status).toBe(200); // its own
    });

    test('nor can it finish one: the answered authorization gives a code to its own browser alone', async () => {
      const page = await atConsent();
      const answered = await post(agent, actionOf(page), allow(page));
      const resume = answered.headers.get('location') ?? '';
      for (const stranger of [createUserAgent(site.server.url), await signedInAs(site.extra.bob)]) {
        const end = await stranger.open(resume);
        expect(end.leftTo?.searchParams.get('code') ?? null).toBeNull();
      }
      expect((await agent.open(resume)).leftTo?.searchParams.get('code')).toBeTruthy();
    });

    test('a forged or unsigned cookie is none', async () => {
      const page = await atConsent();
      const cookies = await agent.jar.getCookies(page.url);
      const unsigned = cookies
        .filter(({ key }) => !key.endsWith('.sig'))
        .map(({ key, value }) => `${key}=${value}`)
        .join('; ');
      const swapped = cookies
        .map(({ key, value }) => `${key}=${key.endsWith('.sig') ? `${value.slice(0, -1)}x` : value}`)
        .join('; ');
      for (const cookie of [unsigned, swapped]) {
        const response = await fetch(page.url, { headers: { Cookie: cookie, Accept: 'text/html' } });
        expect(response.status).toBe(400);
        expect(await response.text()).not.toContain(ada().email);
      }
    });
  });

  describe('CSRF', () => {
    const withoutToken = (page: Page) => {
      const { _csrf, ...rest } = allow(page);
      return rest;
    };

    test('a consent POST without a token, or with a wrong one, is 403', async () => {
      const page = await atConsent();
      const other = await createUserAgent(site.server.url).open('/login');
      for (const token of ['', 'x', csrfOf(other), `${csrfOf(page)}x`, csrfOf(page).toLowerCase()]) {
        await expectRefused(await post(agent, actionOf(page), { ...allow(page), _csrf: token }), [403]);
      }
      await expectRefused(await post(agent, actionOf(page), withoutToken(page)), [403]);
    });

    test.each<[string, Record<string, string>]>([
      ['a foreign Origin', { Origin: 'https://evil.example' }],
      ['Origin: null', { Origin: 'null' }],
      ['our name at another port', { Origin: 'http://localhost:1' }],
      ['our name with another in front', { Origin: 'http://evil.localhost' }],
      ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['Sec-Fetch-Site: same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ])('a consent or sign-in POST with %s is 403, though its token is right', async (_, headers) => {
      const page = await atConsent();
      const form = allow(page);
      await expectRefused(await post(agent, actionOf(page), form, headers), [403]);
      const fresh = createUserAgent(site.server.url);
      const login = await fresh.open('/login');
      const credentials = { email: ada().email, password: ada().password, _csrf: csrfOf(login) };
      const refused = await post(fresh, new URL('/login', site.server.url), credentials, headers);
      expect(refused.status).toBe(403);
      expect(refused.headers.getSetCookie().join()).not.toContain('pr_session');
      await refused.body?.cancel();
    });

    test('GET changes nothing: /logout, /oauth/interaction/…/consent', async () => {
      const page = await atConsent();
      await agent.open('/logout');
      const got = await agent.open(
        `${actionOf(page).pathname}?${new URLSearchParams(withoutToken(page)).toString()}`,
      );
      expect([404, 405]).toContain(got.status);
      expect(await grants()).toEqual([]);
      expect((await agent.open('/')).html).toContain(ada().email);
    });
  });

  describe('a person who is deactivated while signed in (authentik CVE-2025-53942)', () => {
    const deactivate = () =>
      sql()('users').where({ id: ada().id }).update({ deactivated_at: sql().fn.now() });

    test('gets no code for what was allowed before, quietly or not', async () => {
      await getCode(site, { agent, person: ada() });
      await deactivate();
      const quiet = await agent.open(url({ prompt: 'none' }));
      expect(quiet.leftTo?.searchParams.get('error')).toBe('login_required');
      const page = await agent.open(url());
      expect(page.leftTo).toBeUndefined();
      expect(page.html).toContain('name="password"');
      const tried = await agent.submit(page, { email: ada().email, password: ada().password }, '/login');
      expect(tried.status).toBe(401);
    });

    test('can not finish a consent that was on the screen', async () => {
      const page = await atConsent();
      await deactivate();
      await expectRefused(await post(agent, actionOf(page), allow(page)));
    });

    test('nor an authorization whose consent was just given', async () => {
      const page = await atConsent();
      const answered = await post(agent, actionOf(page), allow(page));
      await deactivate();
      const end = await agent.open(answered.headers.get('location') ?? '');
      expect(end.leftTo?.searchParams.get('code') ?? null).toBeNull();
    });

    test('can not redeem a code, nor refresh, and the access token is refused', async () => {
      const tokens = await getTokens(site, { agent, person: ada() });
      const { redemption } = await getCode(site, { agent, person: ada() });
      await deactivate();
      const redeemed = await tokenRequest(site, redemption);
      expect(`${redeemed.status} ${redeemed.body['error']}`).toBe('400 invalid_grant');
      const refreshed = await tokenRequest(site, refreshForm(site.made.apps.web, tokens.refresh_token));
      expect(`${refreshed.status} ${refreshed.body['error']}`).toBe('400 invalid_grant');
      const answer = await me(site, tokens.access_token);
      expect(`${answer.status} ${answer.body['code']}`).toBe('401 credential_revoked');
    });

    test('is not shown as signed in', async () => {
      await atConsent();
      await deactivate();
      expect((await agent.open('/')).html).not.toContain(ada().email);
    });
  });

  describe('sessions', () => {
    const sessionOf = async (browser: UserAgent) =>
      (await browser.jar.getCookies(site.server.url)).find(({ key }) => key === 'pr_session')?.value;

    test('ASVS 7.2.4: the session id changes at sign-in, and the earlier one opens nothing', async () => {
      await getCode(site, { agent, person: ada() });
      const before = await sessionOf(agent);
      expect(before).toBeTruthy();
      const planted = (await agent.jar.getCookies(site.server.url)).map(String).join('; ');

      await walk(agent, url({ prompt: 'login' }), ada());
      expect(await sessionOf(agent)).not.toBe(before);
      const old = await fetch(new URL('/', site.server.url), { headers: { Cookie: planted } });
      expect(await old.text()).not.toContain(ada().email);
    });

    test('a session that an attacker planted is not the one that the person gets', async () => {
      const attacker = await signedInAs(site.extra.bob);
      const planted = await sessionOf(attacker);
      for (const cookie of await attacker.jar.getCookies(site.server.url)) {
        if (cookie.key.startsWith('pr_session')) await agent.jar.setCookie(cookie, site.server.url);
      }
      const page = await agent.open('/login');
      await agent.submit(page, { email: ada().email, password: ada().password }, '/login');
      expect((await agent.open('/')).html).toContain(ada().email);
      expect(await sessionOf(agent)).not.toBe(planted);
      expect((await attacker.open('/')).html).not.toContain(ada().email);
    });

    test('signing in at the login page ends the session that this browser had', async () => {
      const browser = await signedInAs(site.extra.bob);
      const before = await browser.jar.getCookieString(site.server.url);
      const page = await browser.open('/login');
      await browser.submit(page, { email: ada().email, password: ada().password }, '/login');
      const old = await fetch(new URL('/', site.server.url), { headers: { Cookie: before } });
      expect(await old.text()).not.toContain(site.extra.bob.email);
    });

    test('signing in as somebody else in the middle of a flow: the code is that person’s, by their own consent', async () => {
      await getCode(site, { agent, person: ada() });
      const { verifier, challenge } = pkce();
      const { bob } = site.extra;
      const request = authorizationUrl(site, challenge, { prompt: 'login' });
      const walked = await walk(agent, request, bob);
      expect(walked.consent?.html).toContain(bob.email);
      expect(walked.consent?.html).not.toContain(ada().email);
      const { web } = site.made.apps;
      const { body } = await tokenRequest(site, {
        grant_type: 'authorization_code',
        client_id: web.clientId,
        client_secret: web.clientSecret,
        redirect_uri: web.redirectUris[0] as string,
        code: callbackOf(walked).get('code') ?? '',
        code_verifier: verifier,
      });
      expect(claimsOf(String(body['access_token']))['sub']).toBe(bob.id);
      expect((await agent.open('/')).html).toContain(bob.email);
    });

    test('a consent page of one person can not be answered after another signed in at the same browser', async () => {
      const page = await atConsent();
      const login = await agent.open('/login');
      const { bob } = site.extra;
      await agent.submit(login, { email: bob.email, password: bob.password }, '/login');
      const answered = await post(agent, actionOf(page), allow(page));
      const location = answered.headers.get('location');
      const end = location ? await agent.open(location) : undefined;
      expect(end?.leftTo?.searchParams.get('code') ?? null).toBeNull();
    });

    test('signing out ends the session in the database too: the old cookie opens nothing', async () => {
      await getCode(site, { agent, person: ada() });
      const cookies = (await agent.jar.getCookies(site.server.url)).map(String).join('; ');
      await agent.submit(await agent.open('/logout'), {}, '/logout');
      const old = await fetch(new URL('/', site.server.url), { headers: { Cookie: cookies } });
      expect(await old.text()).not.toContain(ada().email);
    });

    test('sessions that are ended while their browser is busy stay ended', async () => {
      const quiet = url({ prompt: 'none', scope: 'webhooks:read' });
      for (let round = 0; round < 5; round++) {
        const thief = await signedInAs(ada());
        const headers = { Cookie: await thief.jar.getCookieString(site.server.url) };
        let busy = true;
        const requests = Array.from({ length: 10 }, async () => {
          while (busy) await (await fetch(quiet, { redirect: 'manual', headers })).body?.cancel();
        });
        await new Promise((resolve) => setTimeout(resolve, 200));
        const page = await agent.submit(await agent.open('/forgot-password'), { email: ada().email });
        expect(page.status).toBe(200);
        const link = (await mailTo(site.server, ada().email, round + 1)).at(-1)?.links[0] ?? '';
        const done = await agent.submit(await agent.open(link), { password: PASSWORD });
        expect(done.html).toContain('changed');
        await new Promise((resolve) => setTimeout(resolve, 200));
        busy = false;
        await Promise.all(requests);
        const home = await fetch(new URL('/', site.server.url), { headers });
        expect(await home.text()).not.toContain(ada().email);
      }
    }, 60_000);

    test('cookies are HttpOnly, SameSite=Lax and for this host alone', async () => {
      await getCode(site, { agent, person: ada() });
      const cookies = await agent.jar.getCookies(site.server.url);
      expect(cookies.map(({ key }) => key)).toEqual(expect.arrayContaining(['pr_session', 'pr_csrf']));
      for (const cookie of cookies) {
        expect(`${cookie.key} ${cookie.httpOnly} ${cookie.sameSite}`).toBe(`${cookie.key} true lax`);
        expect(cookie.hostOnly).toBe(true);
      }
    });
  });

  async function signedInAs(person: Person): Promise<UserAgent> {
    const browser = createUserAgent(site.server.url);
    const page = await browser.open('/login');
    await browser.submit(page, { email: person.email, password: person.password }, '/login');
    return browser;
  }
});
