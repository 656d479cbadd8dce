import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { alone } from '../../adapters/database/locks.ts';
import { walk } from '../oauth/support.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { isSignedIn, signIn } from './support.ts';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

describeWith('postgresql', 'The list of signed-in browsers', () => {
  let site: PreparedSite<{ ada: Person; bob: Person; eve: Person }>;

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', async (services, made) => {
      const member = [{ organizationId: made.organization.id, role: 'member' } as const];
      return {
        ada: await addPerson(services, 'ada@example.com', member),
        bob: await addPerson(services, 'bob@example.com', member),
        eve: await addPerson(services, 'eve@example.com', member),
      };
    });
  }, 120_000);

  afterAll(() => site?.stop());

  const browser = (userAgent: string): UserAgent =>
    createUserAgent(site.server.url, (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), 'User-Agent': userAgent },
      }),
    );

  /** The ids of the sessions that the page can end. */
  const endable = (page: Page): string[] =>
    [...page.html.matchAll(/name="session" value="([0-9a-f]{64})"/g)].map(([, id]) => id ?? '');

  test('names each browser, this one first, however the person signed in', async () => {
    const here = browser(FIREFOX);
    await signIn(site.server, site.extra.ada, here);
    const { end } = await walk(browser(IPHONE), authorizationUrl(site, pkce().challenge), site.extra.ada);
    expect(end.leftTo).toBeDefined();
    const { html } = await here.open('/account/sessions');
    const names = [
      ...html.matchAll(/(Firefox on Windows|Safari on iOS)(?:<\/span> <span[^>]*>This browser)?/g),
    ].map(([all]) => all);
    expect(names[0]).toContain('This browser');
    expect(html).toContain('Safari on iOS');
    expect(html).toContain('127.0.0.1');
  });

  test('one is ended, and no other; the ended one is signed out at its next request', async () => {
    const [here, there, third] = [browser(FIREFOX), browser(IPHONE), browser(FIREFOX)];
    for (const agent of [here, there, third]) await signIn(site.server, site.extra.bob, agent);
    const page = await here.open('/account/sessions');
    const [id = ''] = endable(await third.open('/account/sessions')).filter((one) =>
      endable(page).includes(one),
    );
    await here.submit(page, { session: id }, '/end');
    expect(await isSignedIn(there, site.extra.bob.email)).toBe(false);
    expect(await isSignedIn(here, site.extra.bob.email)).toBe(true);
    expect(await isSignedIn(third, site.extra.bob.email)).toBe(true);

    await here.submit(await here.open('/account/sessions'), {}, '/end-others');
    expect(await isSignedIn(third, site.extra.bob.email)).toBe(false);
    expect(await isSignedIn(here, site.extra.bob.email)).toBe(true);
    const left = await here.open('/account/sessions');
    expect(endable(left)).toEqual([]);
    expect(left.html).toContain('signed in nowhere else');
  });

  test("another person's session can't be ended", async () => {
    const [eve, bob, second] = [browser(FIREFOX), browser(FIREFOX), browser(IPHONE)];
    await signIn(site.server, site.extra.eve, eve);
    await signIn(site.server, site.extra.bob, bob);
    await signIn(site.server, site.extra.bob, second);
    const [id = ''] = endable(await bob.open('/account/sessions'));
    await signIn(site.server, site.extra.eve, browser(IPHONE)); // so that eve's page has a form
    await eve.submit(await eve.open('/account/sessions'), { session: id }, '/end');
    expect(await isSignedIn(bob, site.extra.bob.email)).toBe(true);
    expect(await isSignedIn(second, site.extra.bob.email)).toBe(true);
  });

  test('a session of an epoch that is over is not written: it lives no longer for being used', async () => {
    const { eve } = site.extra;
    const there = browser(FIREFOX);
    await signIn(site.server, eve, there);
    const { database } = site.services;
    const sessions = () => database.sql()('oauth_records').where({ kind: 'Session', user_id: eve.id });
    const isWritten = async (): Promise<boolean> => {
      const soon = database.sql().raw("now() + interval '1 hour'");
      await sessions().update({ expires_at: soon });
      await there.open(authorizationUrl(site, pkce().challenge));
      return (await sessions().whereRaw("expires_at > now() + interval '1 day'")).length > 0;
    };
    expect(await isWritten()).toBe(true);
    await database.sql()('users').where({ id: eve.id }).increment('session_epoch');
    expect(await isWritten()).toBe(false);
  });

  test('a session that is ended while the library writes it stays ended', async () => {
    const { ada } = site.extra;
    const there = browser(IPHONE);
    await signIn(site.server, ada, there);
    const { sessionStore, database } = site.services;
    const before = await sessionStore.list(ada.id);
    // The library has loaded the session and waits for the lock of the person's sessions, held here, to write it under a new id.
    let opened: Promise<Page> | undefined;
    await database.transaction(async () => {
      await database.sql().raw(`SELECT ${alone('sessions', '?::text')}`, [ada.id]);
      opened = there.open(authorizationUrl(site, pkce().challenge, { prompt: 'login' }));
      for (let waiting = 0; waiting === 0; ) {
        const { rows } = await database
          .sql()
          .raw<{ rows: unknown[] }>(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
          );
        waiting = rows.length;
      }
      for (const { id } of before) expect(await sessionStore.end(ada.id, id)).toBe(true);
    });
    await opened;
    expect(await sessionStore.list(ada.id)).toEqual([]);
    expect(await isSignedIn(there, ada.email)).toBe(false);
  });
});
