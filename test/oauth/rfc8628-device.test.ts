import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEVICE_CODE } from '../../config/app-kinds.ts';
import { me } from '../support/api.ts';
import { claimsOf, type Site, startSite } from '../support/site.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { tokenRequest, walk } from './support.ts';

type Codes = {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
};

describe('The device grant', () => {
  let site: Site;
  const clientId = () => site.made.apps.spa.clientId;

  beforeAll(async () => {
    site = await startSite();
  }, 60_000);
  afterAll(() => site.stop());

  const start = async (form: Record<string, string> = {}) => {
    const response = await fetch(new URL('/oauth/device_authorization', site.server.url), {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId(), scope: 'openid prompts:read', ...form }),
    });
    return { status: response.status, body: (await response.json()) as Codes & { error?: string } };
  };
  const poll = (deviceCode: string) =>
    tokenRequest(site, { grant_type: DEVICE_CODE, client_id: clientId(), device_code: deviceCode });
  const enter = async (agent: UserAgent, userCode: string): Promise<Page> =>
    agent.submit(await agent.open('/oauth/device'), { user_code: userCode });
  /** Enters the code, confirms it, signs in and answers the consent page. */
  const connect = async (agent: UserAgent, userCode: string, decision: 'allow' | 'deny' = 'allow') => {
    const confirmed = await agent.submit(await enter(agent, userCode), { confirm: 'yes' });
    return walk({ ...agent, open: async () => confirmed }, '', site.made.user, { decision });
  };

  test('§3.2: gives a device code, a user code and where to enter it, on the web origin', async () => {
    const { status, body } = await start();
    expect(status).toBe(200);
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{30,}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${site.server.url}/oauth/device`,
      verification_uri_complete: `${site.server.url}/oauth/device?user_code=${body.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  test('§3.3 to §3.5: pending, then confirmed, allowed and exchanged, once', async () => {
    const { body: codes } = await start();
    expect((await poll(codes.device_code)).body).toMatchObject({ error: 'authorization_pending' });
    const agent = createUserAgent(site.server.url);
    const { end, consent } = await connect(agent, codes.user_code.toLowerCase().replace('-', ' '));
    expect(consent?.html).not.toContain('Takes you to');
    expect({ status: end.status, html: end.html.includes('Your device is connected') }).toEqual({
      status: 200,
      html: true,
    });
    const { status, body } = await poll(codes.device_code);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        token_type: 'Bearer',
        scope: 'openid prompts:read',
        refresh_token: expect.stringMatching(/^rt_/),
      },
    });
    expect(claimsOf(body['id_token'] as string)).toMatchObject({ sub: site.made.user.id, aud: clientId() });
    const token = body['access_token'] as string;
    expect(await me(site, token)).toMatchObject({ status: 200, body: { userId: site.made.user.id } });
    // RFC 9700 §4.14 in spirit: a code that comes again was stolen, and what it gave goes.
    expect((await poll(codes.device_code)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await me(site, token)).status).toBe(401);
  });

  test('§3.5: access_denied when the person denies, at consent or at the code', async () => {
    const denied = (await start()).body;
    const { end } = await connect(createUserAgent(site.server.url), denied.user_code, 'deny');
    expect(end.html).toContain('Nothing was connected');
    expect((await poll(denied.device_code)).body).toMatchObject({ error: 'access_denied' });

    const aborted = (await start()).body;
    const agent = createUserAgent(site.server.url);
    const page = await agent.submit(await enter(agent, aborted.user_code), { abort: 'yes' });
    expect(page.html).toContain('Nothing was connected');
    expect((await poll(aborted.device_code)).body).toMatchObject({ error: 'access_denied' });
  });

  test('§3.5: slow_down for a device that asks again at once, and not for one that waited', async () => {
    const { body: codes } = await start();
    const errors = [];
    for (let i = 0; i < 3; i++) errors.push((await poll(codes.device_code)).body['error']);
    expect(errors).toEqual(['authorization_pending', 'slow_down', 'slow_down']);
    await new Promise((resolve) => setTimeout(resolve, 5_000)); // the interval itself is under test
    expect((await poll(codes.device_code)).body).toMatchObject({ error: 'authorization_pending' });
  }, 20_000);

  test('§3.3.1: a code in the link fills the field and connects nothing; the code is shown to be compared', async () => {
    const { body: codes } = await start();
    const agent = createUserAgent(site.server.url);
    const page = await agent.open(codes.verification_uri_complete);
    expect(page.status).toBe(200);
    expect(page.html).toContain(`value="${codes.user_code}"`);
    expect(page.html).not.toContain('<script');
    const confirm = await agent.submit(page, { user_code: codes.user_code });
    expect(confirm.html).toContain(codes.user_code);
    expect(confirm.html).toContain('Demo single-page app');
    expect((await poll(codes.device_code)).body).toMatchObject({ error: 'authorization_pending' });
  });

  test.each([
    ['an unknown app', { client_id: 'app_00000000000000000000000000' }, 401, 'invalid_client'],
    ['an unknown scope', { scope: 'nonsense' }, 400, 'invalid_scope'],
    ['offline_access', { scope: 'prompts:read offline_access' }, 400, 'invalid_scope'],
  ])('§3.1: refuses %s', async (_, form, status, error) => {
    expect(await start(form)).toMatchObject({ status, body: { error } });
  });

  test('only native apps may use it: a device runs a program, not a web page or a server', async () => {
    const { clientId: web, clientSecret } = site.made.apps.web;
    const answer = await start({ client_id: web, client_secret: clientSecret });
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  test("another app's device code is refused, and revokes nothing", async () => {
    const { body: codes } = await start();
    const { clientId: web, clientSecret } = site.made.apps.web;
    const form = { grant_type: DEVICE_CODE, client_id: web, client_secret: clientSecret };
    const answer = await tokenRequest(site, { ...form, device_code: codes.device_code });
    expect(answer.body).toMatchObject({ error: 'unauthorized_client' });
    expect((await poll('x'.repeat(43))).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('CSRF on device: a form without the token of this browser session confirms nothing', async () => {
    const { body: codes } = await start();
    const agent = createUserAgent(site.server.url);
    const page = await enter(agent, codes.user_code);
    for (const xsrf of ['', 'x'.repeat(48)]) {
      expect((await agent.submit(page, { confirm: 'yes', xsrf })).status).toBe(400);
    }
    const other = createUserAgent(site.server.url);
    await other.open('/oauth/device');
    expect((await other.submit(page, { confirm: 'yes' })).status).toBe(400);
    expect((await poll(codes.device_code)).body).toMatchObject({ error: 'authorization_pending' });
  });

  test('a page cannot be framed and is not stored', async () => {
    const { headers } = await createUserAgent(site.server.url).open('/oauth/device');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('Brute force of user codes', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ TRUSTED_PROXIES: '127.0.0.1' });
  }, 60_000);
  afterAll(() => site.stop());

  /** A browser at that address. */
  const from = (ip: string) =>
    createUserAgent(site.server.url, (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), 'X-Forwarded-For': ip },
      }),
    );
  const guesses = async (agent: UserAgent, count: number): Promise<Map<number, number>> => {
    const statuses = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const page = await agent.submit(await agent.open('/oauth/device'), { user_code: 'BCDF-GHJK' });
      statuses.set(page.status, (statuses.get(page.status) ?? 0) + 1);
    }
    return statuses;
  };

  test('§5.1: 30 wrong codes from one network in ten minutes, IPv6 by its /64; others are not held up', async () => {
    expect(await guesses(from('2001:db8:1:1::1'), 30)).toEqual(new Map([[422, 30]]));
    const next = from('2001:db8:1:1:ffff::9');
    expect(await guesses(next, 1)).toEqual(new Map([[429, 1]]));
    expect(await guesses(from('2001:db8:1:2::1'), 1)).toEqual(new Map([[422, 1]]));
  }, 30_000);

  test('§5.1: 10 wrong codes of one account, from whatever address', async () => {
    const statuses = [];
    for (const ip of ['192.0.2.1', '192.0.2.2']) {
      const agent = from(ip);
      await agent.submit(await agent.open('/login'), {
        email: site.made.user.email,
        password: site.made.user.password,
      });
      statuses.push(await guesses(agent, 6));
    }
    expect(statuses).toEqual([
      new Map([[422, 6]]),
      new Map([
        [422, 4],
        [429, 2],
      ]),
    ]);
  }, 30_000);
});
