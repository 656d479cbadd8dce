import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { csrfOf, isSignedIn, signIn } from './support.ts';

let site: PreparedSite<{ owner: Person }>;
let agent: UserAgent;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services) => ({
    owner: await addPerson(services, 'owner@example.com', []),
  }));
}, 120_000);

afterAll(() => site?.stop());

beforeEach(() => {
  agent = createUserAgent(site.server.url);
});

describe('returnTo', () => {
  test.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https:evil.example',
    'https://evil.example',
    'https:/evil.example',
    'javascript:alert(1)',
    '/%2f/evil.example',
    '/%5cevil.example',
    '/\tevil.example',
    '/\r\nLocation: https://evil.example',
    '/oauth/authorize/..//evil.example',
    '/oauth/authorize/../../logout',
    '/oauth/interaction/%2e%2e/%2e%2e//evil.example',
    '/oauth/authorize/\r\nSet-Cookie: a=b',
    '/account/../..//evil.example',
    '@evil.example',
    '.evil.example',
    'evil.example',
    '/logout',
    '/console@evil.example',
    ' /console',
    '/console\u0000',
  ])('%j leads nowhere else', async (returnTo) => {
    const path = `/login?${new URLSearchParams({ returnTo }).toString()}`;
    const page = await agent.open(path);
    if (page.status === 400) return; // NUL is refused altogether
    expect(page.html.replaceAll('&amp;', '&')).not.toContain('evil');
    const { owner } = site.extra;
    const target = new URL(path, site.server.url);
    const response = await fetch(target, {
      method: 'POST',
      redirect: 'manual',
      headers: { Cookie: await agent.jar.getCookieString(target.href) },
      body: new URLSearchParams({
        _csrf: csrfOf(page),
        email: owner.email,
        password: owner.password,
      }),
    });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/');
    expect(response.headers.getSetCookie().join()).not.toMatch(/\ba=b/);
  });

  test('sent twice leads nowhere', async () => {
    const page = await agent.open('/login?returnTo=/console&returnTo=//evil.example');
    expect(page.html).not.toContain('evil');
  });

  test('a page of ours is returned to', async () => {
    const path = new URL(authorizationUrl(site, pkce().challenge, { prompt: 'none' }));
    const returnTo = path.pathname + path.search;
    const { owner } = site.extra;
    const page = await agent.open(`/login?${new URLSearchParams({ returnTo }).toString()}`);
    const end = await agent.submit(page, { email: owner.email, password: owner.password }, '/login');
    expect(end.leftTo?.searchParams.get('error')).toBe('consent_required');
  });
});

describe('signing out', () => {
  test.each<[string, Record<string, string>]>([
    ['without a token', {}],
    ['with a foreign Origin', { Origin: 'https://evil.example' }],
  ])('%s is 403, and the person stays signed in', async (_, headers) => {
    const { owner } = site.extra;
    const { agent: inside } = await signIn(site.server, owner);
    const page = await inside.open('/logout');
    const token = headers['Origin'] ? csrfOf(page) : '';
    const response = await fetch(new URL('/logout', site.server.url), {
      method: 'POST',
      headers: { Cookie: await inside.jar.getCookieString(site.server.url), ...headers },
      body: new URLSearchParams({ _csrf: token }),
    });
    expect(response.status).toBe(403);
    expect(await isSignedIn(inside, owner.email)).toBe(true);
    await inside.submit(page, {}, '/logout');
    expect(await isSignedIn(inside, owner.email)).toBe(false);
  });
});
