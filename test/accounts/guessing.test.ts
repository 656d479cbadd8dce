import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addPeople, PASSWORD, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { cookiesOf, type From, type RawPage, sendFrom, signIn, withoutTokens } from './support.ts';

const PEOPLE = [
  'pair',
  'v6',
  'rotating',
  'behind',
  'crowd',
  'office',
  'concurrent',
  'right',
  'times',
  'nearby',
] as const;

let site: PreparedSite<Record<(typeof PEOPLE)[number], Person>>;
let csrf: { cookie: string; token: string };

beforeAll(async () => {
  // 127.0.0.1 is a proxy of ours that says who is calling; 127.0.0.2 is anybody.
  site = await startPreparedSite('embedded', (services, made) => addPeople(services, made, PEOPLE, 'owner'), {
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const agent = createUserAgent(site.server.url);
  const { html } = await agent.open('/login');
  csrf = {
    cookie: await cookiesOf(agent, site.server.url),
    token: /name="_csrf" value="([^"]*)"/.exec(html)?.[1] ?? '',
  };
}, 120_000);

afterAll(() => site?.stop());

const guess = (email: string, from: From, password = 'a wrong password'): Promise<RawPage> =>
  sendFrom(
    site.server,
    '/login',
    { ...from, cookie: [csrf.cookie, from.cookie].filter(Boolean).join('; ') },
    { email, password, _csrf: csrf.token },
  );

/** As many guesses as `from` gives, one after the other; their statuses. */
async function guesses(count: number, next: (i: number) => { email: string; from: From }): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    const { email, from } = next(i);
    statuses.push((await guess(email, from)).status);
  }
  return statuses;
}

const repeat = (status: number, count: number): number[] => Array.from({ length: count }, () => status);

describe('ASVS 6.3.1: guesses at passwords are limited', () => {
  test('to 10 for an account from one address; then the right one is refused too, with Retry-After', async () => {
    const { email } = site.extra.pair;
    const from = { forwardedFor: '198.51.100.1' };
    expect(await guesses(11, () => ({ email, from }))).toEqual([...repeat(401, 10), 429]);
    const right = await guess(email, from, PASSWORD);
    expect(right.status).toBe(429);
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(right.headers['retry-after'])).toBeLessThanOrEqual(900);
    expect(right.headers['set-cookie']?.join() ?? '').not.toContain('pr_session');

    // Neither somebody else at that address nor the person elsewhere is kept out.
    expect((await guess(site.extra.right.email, from, PASSWORD)).status).toBe(303);
    expect((await guess(email, { forwardedFor: '198.51.100.2' }, PASSWORD)).status).toBe(303);
  }, 60_000);

  test('whatever the spelling of the address', async () => {
    const from = { forwardedFor: '198.51.100.3' };
    const spellings = ['SPELLED@example.com', ' spelled@example.com', 'spelled@EXAMPLE.com '];
    const statuses = await guesses(11, (i) => ({ email: spellings[i % 3] as string, from }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
  }, 60_000);

  test('the same for an account that does not exist', async () => {
    const from = { forwardedFor: '198.51.100.4' };
    const statuses = await guesses(11, () => ({ email: 'nobody@example.com', from }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
  }, 60_000);

  test('to 60 from one network, at however many accounts', async () => {
    const from = { forwardedFor: '198.51.100.5' };
    const statuses = await guesses(62, (i) => ({ email: `account-${i}@example.com`, from }));
    expect(statuses).toEqual([...repeat(401, 60), 429, 429]);
    expect((await guess('account-1@example.com', { forwardedFor: '198.51.100.6' })).status).toBe(401);
  }, 60_000);

  test('better-auth CVE-2026-45364: a /64 of IPv6 is one network, the next one another', async () => {
    const { email } = site.extra.v6;
    const statuses = await guesses(11, (i) => ({ email, from: { forwardedFor: `2001:db8:1:2:${i}::${i}` } }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
    expect((await guess(email, { forwardedFor: '2001:db8:1:3::1' })).status).toBe(401);
  }, 60_000);

  test('an IPv4 address written as IPv6 is the same network', async () => {
    const email = 'mapped@example.com';
    const spellings = ['198.51.100.9', '::ffff:198.51.100.9', '::ffff:c633:6409', '198.51.100.9:1234'];
    const statuses = await guesses(11, (i) => ({
      email,
      from: { forwardedFor: spellings[i % 4] as string },
    }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
  }, 60_000);

  test('X-Forwarded-For of a client that is no proxy of ours is not believed', async () => {
    const { email } = site.extra.rotating;
    const statuses = await guesses(11, (i) => ({
      email,
      from: { localAddress: '127.0.0.2', forwardedFor: `203.0.113.${i}` },
    }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
  }, 60_000);

  test('nor is what a client wrote into it before our proxy did', async () => {
    const { email } = site.extra.behind;
    const statuses = await guesses(11, (i) => ({
      email,
      from: { forwardedFor: `203.0.113.${i}, 198.51.100.7` },
    }));
    expect(statuses).toEqual([...repeat(401, 10), 429]);
  }, 60_000);

  test('50 guesses at once are 10 guesses', async () => {
    const { email } = site.extra.concurrent;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => guess(email, { forwardedFor: '198.51.100.8' })),
    );
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([...repeat(401, 10), ...repeat(429, 40)]);
  }, 60_000);

  test('right passwords are not counted', async () => {
    const { email } = site.extra.right;
    for (let i = 0; i < 15; i++) {
      expect((await guess(email, { forwardedFor: '198.51.100.10' }, PASSWORD)).status).toBe(303);
    }
  }, 60_000);
});

describe('a person is not locked out by strangers', () => {
  const knownBrowser = async (person: Person): Promise<string> => {
    const { agent } = await signIn(site.server, person);
    const cookies = await agent.jar.getCookies(site.server.url);
    return cookies
      .filter(({ key }) => key.startsWith('pr_known'))
      .map(({ key, value }) => `${key}=${value}`)
      .join('; ');
  };

  test('guesses from many networks close the account to strangers, and leave it open to the browser of its owner', async () => {
    const { crowd, right } = site.extra;
    const cookie = await knownBrowser(crowd);
    const ofAnother = await knownBrowser(right);
    const statuses = await guesses(101, (i) => ({
      email: crowd.email,
      from: { forwardedFor: `203.0.113.${Math.floor(i / 9)}` },
    }));
    expect(statuses).toEqual([...repeat(401, 100), 429]);
    const elsewhere = { forwardedFor: '192.0.2.1' };
    expect((await guess(crowd.email, elsewhere, PASSWORD)).status).toBe(429);
    expect((await guess(crowd.email, { ...elsewhere, cookie: ofAnother }, PASSWORD)).status).toBe(429);
    const forged = cookie.replace(/pr_known=[^;]*/, `pr_known=${Buffer.alloc(32).toString('base64url')}`);
    expect((await guess(crowd.email, { ...elsewhere, cookie: forged }, PASSWORD)).status).toBe(429);
    expect((await guess(crowd.email, { ...elsewhere, cookie }, PASSWORD)).status).toBe(303);
  }, 120_000);

  test('nor by a stranger in the same network, as in an office or behind a carrier’s NAT', async () => {
    const { office } = site.extra;
    const cookie = await knownBrowser(office);
    const from = { forwardedFor: '198.51.100.11' };
    await guesses(11, () => ({ email: office.email, from }));
    expect((await guess(office.email, { ...from, cookie }, PASSWORD)).status).toBe(303);
  }, 60_000);

  test('the browser of the owner has a limit of its own: a stolen one can not guess without end', async () => {
    const { nearby } = site.extra;
    const cookie = await knownBrowser(nearby);
    const statuses = await guesses(40, (i) => ({
      email: nearby.email,
      from: { forwardedFor: `198.51.101.${i}`, cookie },
    }));
    expect(statuses).toContain(429);
  }, 60_000);
});

test('an unknown address and a wrong password have the same status, the same page and the same time', async () => {
  const known = site.extra.times.email;
  const unknown = 'timez@example.com';
  const fastest = { [known]: Infinity, [unknown]: Infinity };
  const pages: Record<string, RawPage> = {};
  for (let i = 0; i < 8; i++) {
    for (const email of [known, unknown]) {
      const started = performance.now();
      pages[email] = await guess(email, { forwardedFor: `192.0.2.${10 + i}` });
      fastest[email] = Math.min(fastest[email] as number, performance.now() - started);
    }
  }
  const [one, other] = [pages[known] as RawPage, pages[unknown] as RawPage];
  expect(one.status).toBe(401);
  expect(other.status).toBe(401);
  expect(withoutTokens(one.html).replaceAll(known, '')).toBe(
    withoutTokens(other.html).replaceAll(unknown, ''),
  );
  expect(Object.keys(one.headers).sort()).toEqual(Object.keys(other.headers).sort());
  const ratio = (fastest[known] ?? 0) / (fastest[unknown] ?? 1);
  expect(ratio).toBeGreaterThan(0.6);
  expect(ratio).toBeLessThan(1.7);
}, 120_000);
