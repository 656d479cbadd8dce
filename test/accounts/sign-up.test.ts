import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import {
  isSignedIn,
  mailedLink,
  mailTo,
  type Newcomer,
  newcomer,
  signIn,
  signUp as signUpAt,
  withoutTokens,
} from './support.ts';

let site: PreparedSite<{ taken: Person }>;
let agent: UserAgent;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services) => ({
    taken: await addPerson(services, 'taken@example.com', []),
  }));
}, 120_000);

afterAll(() => site?.stop());

beforeEach(() => {
  agent = createUserAgent(site.server.url);
});

const signUp = (fields: Newcomer, browser = agent) => signUpAt(fields, browser);

describe('sign-up', () => {
  test('takes a confirmation by mail before the person can sign in; the link works once', async () => {
    const person = newcomer();
    const page = await signUp(person);
    expect(page.status).toBe(200);
    expect(page.html).toContain('Check your mail');
    const unconfirmed = await signIn(site.server, person);
    expect(unconfirmed.page.status).toBe(403);
    expect(await isSignedIn(unconfirmed.agent, person.email)).toBe(false);

    const link = await mailedLink(site.server, person.email, 2);
    expect(new URL(link).origin).toBe(site.server.url);
    const confirm = await agent.open(link);
    expect(confirm.html).not.toContain('is confirmed'); // a mail scanner that follows links confirms nothing
    expect((await signIn(site.server, person)).page.status).toBe(403);
    const latest = await agent.open(await mailedLink(site.server, person.email, 3));
    expect((await agent.submit(latest, {})).html).toContain('confirmed');
    expect((await agent.submit(latest, {})).status).toBe(400);
    const { agent: confirmed } = await signIn(site.server, person);
    expect(await isSignedIn(confirmed, person.email)).toBe(true);
  });

  test('only the newest link works', async () => {
    const person = newcomer();
    await signUp(person);
    const first = await mailedLink(site.server, person.email);
    await signIn(site.server, person); // mails it again
    await mailTo(site.server, person.email, 2);
    expect((await agent.submit(await agent.open(first), {})).status).toBe(400);
  });

  test('for an address that is taken gives the same page, and tells its owner by mail', async () => {
    const { taken } = site.extra;
    const free = newcomer();
    const known = newcomer({ email: taken.email, password: 'a stranger chose this one' });
    const pages = { free: await signUp(free), known: await signUp(known) };
    expect(pages.known.status).toBe(pages.free.status);
    expect(withoutTokens(pages.known.html).replaceAll(known.email, '')).toBe(
      withoutTokens(pages.free.html).replaceAll(free.email, ''),
    );
    const [mail] = await mailTo(site.server, taken.email);
    expect(mail?.subject).toContain('already');
    expect((await signIn(site.server, known)).page.status).toBe(401);
    expect((await signIn(site.server, taken)).page.status).toBe(200);
  });

  test('knows a taken address in every spelling', async () => {
    const { taken } = site.extra;
    const before = (await mailTo(site.server, taken.email)).length;
    await signUp(newcomer({ email: ` ${taken.email.toUpperCase()} ` }));
    await mailTo(site.server, taken.email, before + 1);
    expect((await signIn(site.server, taken)).page.status).toBe(200);
  });

  test('takes as long for a taken address as for a free one', async () => {
    const fastest = { taken: Infinity, free: Infinity };
    for (let i = 0; i < 2; i++) {
      for (const kind of ['taken', 'free'] as const) {
        const page = await agent.open('/signup');
        const fields = newcomer(kind === 'taken' ? { email: site.extra.taken.email } : {});
        const started = performance.now();
        await agent.submit(page, fields, '/signup');
        fastest[kind] = Math.min(fastest[kind], performance.now() - started);
      }
    }
    expect(fastest.taken / fastest.free).toBeGreaterThan(0.25);
    expect(fastest.taken / fastest.free).toBeLessThan(4);
  });

  test('before the owner of an address did, by somebody who knows no more than it, gives no way into the later account', async () => {
    const victim = newcomer({ password: 'the choice of the victim' });
    const attacker = { ...victim, name: 'At Tacker', password: 'the choice of the attacker' };
    await signUp(attacker, createUserAgent(site.server.url));
    await mailTo(site.server, victim.email);
    await signUp(victim);
    const page = await agent.open(await mailedLink(site.server, victim.email, 2));
    await agent.submit(page, page.url.includes('reset-password') ? { password: victim.password } : {});
    const { agent: intruder } = await signIn(site.server, attacker);
    expect(await isSignedIn(intruder, victim.email)).toBe(false);
    const { agent: own } = await signIn(site.server, victim);
    expect(await isSignedIn(own, victim.email)).toBe(true);
  });

  test('once the owner has asked too, the link of the earlier sign-up confirms nothing', async () => {
    const victim = newcomer({ password: 'the choice of the victim' });
    await signUp({ ...victim, password: 'the choice of the attacker' }, createUserAgent(site.server.url));
    const early = await mailedLink(site.server, victim.email, 1);
    await signUp(victim);
    await mailedLink(site.server, victim.email, 2);
    expect((await agent.submit(await agent.open(early), {})).status).toBe(400);
  });

  test.each([
    ['short', { password: 'short' }],
    ['of one letter', { password: 'aaaaaaaaaaaaaaaa' }],
    ['the name', { name: 'Ada Lovelace Byron', password: 'Ada Lovelace Byron' }],
    ['too long', { password: 'correct horse '.repeat(20) }],
  ])('refuses a password that is %s, and does not show it again', async (_, fields) => {
    const page = await signUp(newcomer(fields));
    expect(page.status).toBe(422);
    expect(page.html).not.toMatch(/type="password"[^>]*value="[^"]/);
  });

  test.each([
    ['without a name', { name: '   ' }],
    ['with a long name', { name: 'n'.repeat(101) }],
    ['without an address', { email: 'nobody' }],
    ['with two addresses', { email: 'one@example.com, two@example.com' }],
    ['with a space in the address', { email: 'one two@example.com' }],
    ['with a line break in the address', { email: 'one@example.com\r\nBcc: two@example.com' }],
    ['with a long address', { email: `${'a'.repeat(250)}@example.com` }],
    ['with an address that grows in lower case', { email: `${'İ'.repeat(130)}@example.com` }],
    ['with an address that a mailer reads as another', { email: 'x<someone@example.com' }],
    ['with an address that a mailer reads as two', { email: 'x,someone@example.com' }],
    ['with a long organization', { organization: 'o'.repeat(101) }],
  ])('%s shows the form again', async (_, fields) => {
    expect((await signUp(newcomer(fields))).status).toBe(422);
  });

  test('a name can carry neither a link nor lines of its own into a mail', async () => {
    const person = newcomer({ name: 'Win a prize:\nhttps://evil.example/prize\n' });
    const page = await signUp(person);
    if (page.status === 422) return;
    const [mail] = await mailTo(site.server, person.email);
    expect(mail?.links.map((link) => new URL(link).origin)).toEqual([site.server.url]);
  });

  test('names of people and organizations are shown as text', async () => {
    const markup = '<img src=x onerror=alert(1)>"\'';
    const person = newcomer({ name: markup, organization: `${markup}\u202E` });
    const again = await signUp({ ...person, email: `"><script>alert(1)</script>@example.com` });
    for (const page of [again, await signUp(person)])
      expect(page.html).not.toMatch(/<img src=x|<script>alert/);
    const confirm = await agent.open(await mailedLink(site.server, person.email));
    await agent.submit(confirm, {});
    const { agent: inside } = await signIn(site.server, person);
    const home = await inside.open('/');
    expect(home.html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(home.html).not.toMatch(/<img src=x|\u202E/);
  });

  test('can not be used to fill a mailbox: asking again and again for the confirmation has a limit', async () => {
    const person = newcomer();
    await signUp(person);
    for (let i = 0; i < 25; i++) await signIn(site.server, person);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await mailTo(site.server, person.email)).length).toBeLessThanOrEqual(10);
  }, 60_000);
});
