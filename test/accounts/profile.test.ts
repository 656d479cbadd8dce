import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getTokens } from '../oauth/support.ts';
import { me } from '../support/api.ts';
import { describeWith } from '../support/needs.ts';
import { addPeople, addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { isSignedIn, mailedLink, mailTo, signIn } from './support.ts';

const PEOPLE = [
  'renaming',
  'moving',
  'taken',
  'racing',
  'changing',
  'confirming',
  'guessed',
  'stale',
] as const;
const NEXT = 'another horse battery staple';

describeWith('postgresql', 'A person’s own account', () => {
  let site: PreparedSite<Record<(typeof PEOPLE)[number], Person>>;
  let agent: UserAgent;

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', (services, made) =>
      addPeople(services, made, PEOPLE, 'member'),
    );
  }, 120_000);

  afterAll(() => site?.stop());

  beforeEach(() => {
    agent = createUserAgent(site.server.url);
  });

  /** The page, opened by the person, who signs in first. */
  const openAs = async (person: Person, path: string) => {
    await signIn(site.server, person, agent);
    return agent.open(path);
  };

  describe('who is not signed in', () => {
    test.each(['/account', '/account/email', '/account/password', '/account/sessions'])(
      'is led from %s to sign-in, and back',
      async (path) => {
        const login = await agent.open(path);
        expect(login.url).toContain(`/login?returnTo=${encodeURIComponent(path)}`);
        const { renaming } = site.extra;
        const page = await agent.submit(login, { email: renaming.email, password: renaming.password });
        expect(new URL(page.url).pathname).toBe(path);
        expect(page.headers.get('cache-control')).toBe('no-store');
      },
    );

    test.each(['/account/name', '/account/email', '/account/password', '/account/sessions/end-others'])(
      'changes nothing by a POST to %s',
      async (path) => {
        const response = await fetch(new URL(path, site.server.url), { method: 'POST', redirect: 'manual' });
        expect(response.headers.get('location')).toMatch(/^\/login/);
      },
    );

    test('a form without its token is refused', async () => {
      await signIn(site.server, site.extra.renaming, agent);
      for (const path of ['/account/name', '/account/email', '/account/password', '/account/sessions/end']) {
        const response = await fetch(new URL(path, site.server.url), {
          method: 'POST',
          redirect: 'manual',
          headers: { Cookie: await agent.jar.getCookieString(site.server.url) },
          body: new URLSearchParams({ name: 'x', email: 'x@example.com' }),
        });
        expect(`${path} ${response.status}`).toBe(`${path} 403`);
      }
    });
  });

  describe('the profile', () => {
    test('shows and changes the name; a fault stands beside its field', async () => {
      const page = await openAs(site.extra.renaming, '/account');
      const wrong = await agent.submit(page, { name: 'see www.example.com' }, '/name');
      expect(wrong.status).toBe(422);
      expect(wrong.html).toContain('id="name-error"');
      const done = await agent.submit(page, { name: 'Renamed' }, '/name');
      expect(done.html).toContain('Your name is saved.');
      expect((await agent.open('/account')).html).toContain('value="Renamed"');
    });
  });

  describe('a change of the address', () => {
    test('needs the link that was mailed to the new one, tells the old one, and voids links mailed to it', async () => {
      const { moving } = site.extra;
      const stranger = createUserAgent(site.server.url);
      await stranger.submit(await stranger.open('/forgot-password'), { email: moving.email });
      const reset = await mailedLink(site.server, moving.email);

      const form = await openAs(moving, '/account/email');
      expect((await agent.submit(form, { email: 'nope' }, '/email')).status).toBe(422);
      const asked = await agent.submit(form, { email: 'Moved@Example.com' }, '/email');
      expect(asked.html).toContain('a message is on its way');
      const link = await mailedLink(site.server, 'moved@example.com');
      expect((await mailTo(site.server, moving.email, 2))[1]?.text).toContain('moved@example.com');
      expect((await signIn(site.server, { ...moving, email: 'moved@example.com' })).page.status).toBe(401);

      const elsewhere = createUserAgent(site.server.url);
      const done = await elsewhere.submit(await elsewhere.open(link), {});
      expect(done.html).toContain('Your address is changed');
      expect((await signIn(site.server, moving)).page.status).toBe(401);
      expect((await signIn(site.server, { ...moving, email: 'moved@example.com' })).page.status).toBe(200);
      expect((await mailTo(site.server, moving.email, 3))[2]?.text).toContain(
        'was changed to moved@example.com',
      );
      expect((await stranger.open(reset)).status).toBe(400);
      expect((await elsewhere.submit(await elsewhere.open(link), {})).status).toBe(400);
    });

    test("does not tell whether the new address is somebody's, and can't take it", async () => {
      const { racing, taken } = site.extra;
      const form = await openAs(racing, '/account/email');
      const known = await agent.submit(form, { email: taken.email }, '/email');
      const unknown = await agent.submit(form, { email: 'unknown@example.com' }, '/email');
      expect(known.status).toBe(unknown.status);
      expect(known.html).toBe(unknown.html);
      const [mail] = await mailTo(site.server, taken.email);
      expect(mail?.links).toEqual([]);
      // Taken between the mail and the link.
      const link = await mailedLink(site.server, 'unknown@example.com');
      await addPerson(site.services, 'unknown@example.com', []);
      expect((await agent.submit(await agent.open(link), {})).status).toBe(400);
      expect((await signIn(site.server, racing)).page.status).toBe(200);
    });
  });

  describe('a change of the password', () => {
    test('needs the present one, ends every other session, keeps this one under a new id, and is told by mail', async () => {
      const { changing } = site.extra;
      const other = (await signIn(site.server, changing)).agent;
      const form = await openAs(changing, '/account/password');
      const before = await agent.jar.getCookieString(site.server.url);

      const wrong = await agent.submit(form, { present: 'not the present one', password: NEXT }, '/password');
      expect(wrong.status).toBe(422);
      expect(wrong.html).toContain('id="present-error"');
      const weak = await agent.submit(form, { present: changing.password, password: 'weak' }, '/password');
      expect(weak.html).toContain('id="password-error"');
      expect(await isSignedIn(other, changing.email)).toBe(true);

      const done = await agent.submit(form, { present: changing.password, password: NEXT }, '/password');
      expect(done.html).toContain('Your password is changed');
      expect(await isSignedIn(other, changing.email)).toBe(false);
      expect(await isSignedIn(agent, changing.email)).toBe(true);
      const old = await fetch(site.server.url, { headers: { Cookie: before } });
      expect(await old.text()).not.toContain(changing.email);
      expect((await signIn(site.server, changing)).page.status).toBe(401);
      expect((await signIn(site.server, { ...changing, password: NEXT })).page.status).toBe(200);
      expect((await mailTo(site.server, changing.email))[0]?.text).toContain('password');
    });

    test('guesses at the present one are limited', async () => {
      const form = await openAs(site.extra.guessed, '/account/password');
      const statuses: number[] = [];
      for (let i = 0; i < 11; i++) {
        statuses.push(
          (await agent.submit(form, { present: `guess number ${i}`, password: NEXT }, '/password')).status,
        );
      }
      expect(statuses.slice(0, 10)).toEqual(Array(10).fill(422));
      expect(statuses[10]).toBe(429);
    });

    test('ends what apps hold for the person: whoever knew the old one may have let one in', async () => {
      const { stale } = site.extra;
      const tokens = await getTokens(site, { agent, person: stale });
      await agent.submit(
        await agent.open('/account/password'),
        { present: stale.password, password: NEXT },
        '/password',
      );
      expect((await me(site, tokens.access_token)).status).toBe(401);
      expect(await mailTo(site.server, stale.email)).toHaveLength(1);
    });
  });
});
