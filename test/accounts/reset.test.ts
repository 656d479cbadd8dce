import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getTokens } from '../oauth/support.ts';
import { me } from '../support/api.ts';
import { mailsTo } from '../support/mailbox.ts';
import { addPeople, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import {
  csrfOf,
  isSignedIn,
  mailedLink,
  mailTo,
  newcomer,
  signIn,
  signUp,
  withoutTokens,
} from './support.ts';

const PEOPLE = ['owner', 'taken', 'resetting', 'racing', 'half', 'leaving'] as const;

let site: PreparedSite<Record<(typeof PEOPLE)[number], Person>>;
let agent: UserAgent;

beforeAll(async () => {
  site = await startPreparedSite('embedded', (services, made) => addPeople(services, made, PEOPLE, 'owner'));
}, 120_000);

afterAll(() => site?.stop());

beforeEach(() => {
  agent = createUserAgent(site.server.url);
});

const askForReset = async (email: string): Promise<Page> => {
  const browser = createUserAgent(site.server.url);
  return browser.submit(await browser.open('/forgot-password'), { email });
};

describe('a reset of the password', () => {
  test('has the same answer for a known and an unknown address', async () => {
    const [known, unknown] = [site.extra.leaving.email, 'nobody@example.com'];
    const pages = { known: await askForReset(known), unknown: await askForReset(unknown) };
    expect(pages.known.status).toBe(pages.unknown.status);
    expect(withoutTokens(pages.known.html).replaceAll(known, '')).toBe(
      withoutTokens(pages.unknown.html).replaceAll(unknown, ''),
    );
    await mailTo(site.server, known);
    expect(mailsTo(site.server.dataDir, unknown)).toEqual([]);
  });

  test('ends all sessions and the old password; its link works once', async () => {
    const { resetting } = site.extra;
    const browsers = [await signIn(site.server, resetting), await signIn(site.server, resetting)];
    await askForReset(resetting.email);
    const link = await mailedLink(site.server, resetting.email);
    const form = await agent.open(link);
    expect((await agent.submit(form, { password: 'weak' })).status).toBe(422); // spends nothing
    for (const browser of browsers) expect(await isSignedIn(browser.agent, resetting.email)).toBe(true);

    const password = 'another horse battery staple';
    expect((await agent.submit(form, { password })).html).toContain('changed');
    for (const browser of browsers) expect(await isSignedIn(browser.agent, resetting.email)).toBe(false);
    expect((await signIn(site.server, resetting)).page.status).toBe(401);
    expect((await signIn(site.server, { ...resetting, password })).page.status).toBe(200);
    expect((await agent.submit(form, { password: 'a third horse battery' })).status).toBe(400);
    expect((await agent.open(link)).status).toBe(400);
  });

  test('at ten places at once with one link happens once', async () => {
    const { racing } = site.extra;
    await askForReset(racing.email);
    const link = await mailedLink(site.server, racing.email);
    const forms = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = createUserAgent(site.server.url);
        return { browser, page: await browser.open(link) };
      }),
    );
    const results = await Promise.all(
      forms.map(async ({ browser, page }, i) => {
        const password = `choice number ${i} of ten`;
        return { status: (await browser.submit(page, { password })).status, password };
      }),
    );
    const won = results.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const { status } of results) expect([200, 400]).toContain(status);
    const [winner] = won;
    expect((await signIn(site.server, { ...racing, password: winner?.password ?? '' })).page.status).toBe(
      200,
    );
  });

  test('ends a sign-in with the old password that was on its way: nothing that it began can be finished', async () => {
    const { half } = site.extra;
    const login = await agent.open(authorizationUrl(site, pkce().challenge));
    const form = /<form[^>]*action="([^"]*)"/.exec(login.html)?.[1] ?? '';
    const answered = await fetch(new URL(form, site.server.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { Cookie: await agent.jar.getCookieString(new URL(form, site.server.url).href) },
      body: new URLSearchParams({
        _csrf: csrfOf(login),
        email: half.email,
        password: half.password,
      }),
    });
    const resume = answered.headers.get('location') ?? '';
    expect(answered.status).toBe(303);

    await askForReset(half.email);
    const browser = createUserAgent(site.server.url);
    const password = 'another horse battery staple';
    const done = await browser.submit(await browser.open(await mailedLink(site.server, half.email)), {
      password,
    });
    expect(done.html).toContain('changed');

    const end = await agent.open(resume);
    expect(end.html).not.toContain('name="decision"');
    expect(await isSignedIn(agent, half.email)).toBe(false);
  });

  test('a link of one kind is none of the other', async () => {
    const person = newcomer();
    await signUp(person, agent);
    const confirmation = new URL(await mailedLink(site.server, person.email));
    confirmation.pathname = '/reset-password';
    expect((await agent.open(confirmation.href)).status).toBe(400);
    const reset = new URL(await mailedLink(site.server, site.extra.leaving.email));
    reset.pathname = '/confirm-email';
    expect((await agent.submit(await agent.open(reset.href), {})).status).toBe(400);
  });

  test.each(['', 'x', `mail_${'x'.repeat(36)}`, '%27%20OR%201=1--'])(
    'the token "%s" opens nothing',
    async (token) => {
      expect((await agent.open(`/reset-password?token=${token}`)).status).toBe(400);
      const confirm = await agent.open(`/confirm-email?token=${token}`);
      expect((await agent.submit(confirm, {})).status).toBe(400);
    },
  );

  test('ends what apps hold for the person: whoever knew the old password may have let one in', async () => {
    const { leaving } = site.extra;
    const tokens = await getTokens(site, { agent: createUserAgent(site.server.url), person: leaving });
    const browser = createUserAgent(site.server.url);
    await browser.submit(await browser.open(await mailedLink(site.server, leaving.email)), {
      password: 'another horse battery staple',
    });
    expect((await me(site, tokens.access_token)).status).toBe(401);
  });
});
