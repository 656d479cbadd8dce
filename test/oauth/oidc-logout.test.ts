import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { me } from '../support/api.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type Site, startSite } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { getTokens, refreshForm, tokenRequest } from './support.ts';

const AFTER = 'https://app.example/signed-out?from=us';

describe('RP-initiated logout', () => {
  let site: Site;
  let app: Client;
  let agent: UserAgent;

  beforeAll(async () => {
    site = await startSite({}, async (services, made) => {
      app = await addApp(services, made, { name: 'Logs out', postLogoutRedirectUris: [AFTER] });
    });
  }, 60_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    agent = createUserAgent(site.server.url);
  });

  const signedIn = async () => (await agent.open('/')).html.includes('/logout');
  const logoutUrl = (params: Record<string, string> = {}) =>
    `/oauth/logout?${new URLSearchParams(params).toString()}`;
  const tokens = () => getTokens(site, { agent, client: app, params: { scope: 'openid prompts:read' } });

  test('§2 and §3: asks, signs out, and returns to the registered URI with the state; tokens go on', async () => {
    const { id_token, access_token, refresh_token } = await tokens();
    expect(await signedIn()).toBe(true);
    const page = await agent.open(
      logoutUrl({ id_token_hint: id_token ?? '', post_logout_redirect_uri: AFTER, state: 'x y' }),
    );
    expect({ status: page.status, signedIn: await signedIn() }).toEqual({ status: 200, signedIn: true });
    expect(page.html).toContain('Logs out');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://app.example");
    const end = await agent.submit(page, { logout: 'yes' });
    expect(end.leftTo?.href).toBe(`${AFTER}&state=x+y`);
    expect(await signedIn()).toBe(false);
    expect((await me(site, access_token)).status).toBe(200);
    expect((await tokenRequest(site, refreshForm(app, refresh_token))).status).toBe(200);
  });

  test('§2: without any parameter it asks, and ends on a page of ours; staying signed in is a choice', async () => {
    await tokens();
    const stay = await agent.submit(await agent.open('/oauth/logout'), {});
    expect(stay.html).toContain('still signed in');
    expect(await signedIn()).toBe(true);
    const end = await agent.submit(await agent.open('/oauth/logout'), { logout: 'yes' });
    expect({ status: end.status, html: end.html.includes('You are signed out') }).toEqual({
      status: 200,
      html: true,
    });
    expect(await signedIn()).toBe(false);
  });

  test('§2: POST is taken too', async () => {
    const response = await fetch(new URL('/oauth/logout', site.server.url), {
      method: 'POST',
      body: new URLSearchParams({ client_id: app.clientId, post_logout_redirect_uri: AFTER }),
      redirect: 'manual',
    });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toContain('/oauth/logout?client_id=');
  });

  test('§3: somebody who is not signed in is sent back at once, by a form that our policy lets leave', async () => {
    const page = await agent.open(logoutUrl({ client_id: app.clientId, post_logout_redirect_uri: AFTER }));
    expect(page.headers.get('content-security-policy')).toMatch(
      /script-src 'self' 'sha256-[^']+'.*form-action 'self' https:\/\/app\.example/,
    );
    expect((await agent.submit(page, {})).leftTo?.href).toBe(AFTER);
  });

  test.each([
    'https://evil.example/',
    'https://app.example/signed-out',
    'https://app.example/signed-out?from=us&x',
    'https://app.example.evil.example/signed-out?from=us',
    'https://app.example@evil.example/signed-out?from=us',
    '//evil.example/signed-out?from=us',
    'javascript:alert(1)',
  ])('redirect of logout: %s, which is not registered, is refused and nobody is signed out', async (uri) => {
    const { id_token } = await tokens();
    const page = await agent.open(
      logoutUrl({ id_token_hint: id_token ?? '', post_logout_redirect_uri: uri }),
    );
    expect({ status: page.status, leftTo: page.leftTo }).toEqual({ status: 400, leftTo: undefined });
    expect(await signedIn()).toBe(true);
  });

  test('redirect of logout: without an app a URI is not followed, even a registered one', async () => {
    await tokens();
    const page = await agent.open(logoutUrl({ post_logout_redirect_uri: AFTER }));
    const end = await agent.submit(page, { logout: 'yes' });
    expect({ leftTo: end.leftTo, status: end.status }).toEqual({ leftTo: undefined, status: 200 });
  });

  test('a forged hint, or one of another app than the client_id says, is refused', async () => {
    const { id_token = '' } = await tokens();
    const [header, payload] = id_token.split('.');
    for (const params of [
      { id_token_hint: `${header}.${payload}.AAAA` },
      { id_token_hint: id_token, client_id: site.made.apps.web.clientId },
      { id_token_hint: 'nonsense' },
    ]) {
      expect((await agent.open(logoutUrl(params as Record<string, string>))).status).toBe(400);
    }
  });

  test('CSRF on logout: a form without the token of this browser session signs nobody out', async () => {
    await tokens();
    const page = await agent.open('/oauth/logout');
    for (const xsrf of ['', 'x'.repeat(48)]) {
      const end = await agent.submit(page, { logout: 'yes', xsrf });
      expect(end.status).toBe(400);
    }
    const other = createUserAgent(site.server.url);
    await getTokens(site, { agent: other, client: app });
    const foreign = await other.open('/oauth/logout');
    expect((await agent.submit(foreign, { logout: 'yes' })).status).toBe(400);
    expect(await signedIn()).toBe(true);
  });
});
