import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';

type Apps = Record<'web' | 'withQuery' | 'native', Client>;

let site: PreparedSite<Apps>;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services, made) => ({
    web: await addApp(services, made, { redirectUris: ['https://app.example/oauth/callback'] }),
    withQuery: await addApp(services, made, { redirectUris: ['https://app.example/callback?tenant=1'] }),
    native: await addApp(services, made, {
      kind: 'native',
      redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'com.example.app:/callback'],
    }),
  }));
}, 120_000);

afterAll(() => site?.stop());

const ask = (client: Client, query: Record<string, string | undefined>, rawRedirectUri?: string) => {
  const url = authorizationUrl(site, pkce().challenge, { client_id: client.clientId, ...query });
  return fetch(rawRedirectUri === undefined ? url : `${url}&redirect_uri=${rawRedirectUri}`, {
    redirect: 'manual',
    headers: { Accept: 'text/html' },
  });
};

/** A page of ours that says so; the browser is sent nowhere, and no code is in it. */
async function expectRefused(response: Response): Promise<void> {
  expect(response.status).toBe(400);
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('refresh')).toBeNull();
  expect(await response.text()).toContain('Error 400');
}

const ok = 'https://app.example/oauth/callback';

describe('RFC 6749 §3.1.2.3, RFC 9700 §4.1.3: a redirect URI that is not the registered one, to the character, is 400 without Location', () => {
  test.each([
    ['path traversal', 'https://app.example/oauth/callback/../../evil'],
    ['path traversal to itself', 'https://app.example/oauth/x/../callback'],
    ['encoded traversal', 'https://app.example/oauth/callback/%2e%2e/evil'],
    ['traversal with an encoded slash', 'https://app.example/oauth/callback/..%2fevil'],
    ['traversal encoded twice', 'https://app.example/oauth/callback/%252e%252e/evil'],
    ['a backslash', 'https://app.example\\@evil.example/oauth/callback'],
    ['userinfo', 'https://app.example@evil.example/oauth/callback'],
    ['userinfo before the right host', 'https://evil@app.example/oauth/callback'],
    ['a port', 'https://app.example:8443/oauth/callback'],
    ["the scheme's own port", 'https://app.example:443/oauth/callback'],
    ['a fragment', `${ok}#evil`],
    ['an empty fragment', `${ok}#`],
    ['an added query', `${ok}?next=//evil.example`],
    ['an empty query', `${ok}?`],
    ['the host in capitals', 'https://APP.example/oauth/callback'],
    ['the scheme in capitals', 'HTTPS://app.example/oauth/callback'],
    ['the path in capitals', 'https://app.example/OAuth/callback'],
    ['a trailing slash', `${ok}/`],
    ['a path below', `${ok}/evil`],
    ['a path above', 'https://app.example/oauth'],
    ['a domain with ours as its suffix', 'https://evilapp.example/oauth/callback'],
    ['a domain with ours as its prefix', 'https://app.example.evil.example/oauth/callback'],
    ['a subdomain', 'https://sub.app.example/oauth/callback'],
    ['a trailing dot', 'https://app.example./oauth/callback'],
    ['a letter that looks alike', 'https://аpp.example/oauth/callback'],
    ['plain HTTP', 'http://app.example/oauth/callback'],
    ['javascript:', 'javascript:alert(1)//https://app.example/oauth/callback'],
    ['data:', 'data:text/html,<script>alert(1)</script>'],
    ['no scheme', '//app.example/oauth/callback'],
    ['a path of its own', '/oauth/callback'],
    ['a space at the end', `${ok} `],
    ['a space at the front', ` ${ok}`],
    ['a tab inside', 'https://app.example/oauth/\tcallback'],
    ['CRLF', `${ok}\r\nLocation: https://evil.example`],
    ['a wildcard', 'https://app.example/oauth/*'],
    ['two of them in one', `${ok} https://evil.example`],
  ])('%s', async (_, redirectUri) => {
    await expectRefused(await ask(site.extra.web, { redirect_uri: redirectUri }));
  });

  test.each([
    ['NUL', `${encodeURIComponent(ok)}%00`],
    ['NUL before another host', `${encodeURIComponent(ok)}%00.evil.example`],
    ['bytes that are not UTF-8', `${encodeURIComponent(ok)}%ff`],
    ['an overlong slash', `${encodeURIComponent(ok)}%c0%af`],
    ['CRLF', `${encodeURIComponent(ok)}%0d%0aSet-Cookie:%20a=b`],
  ])('%s, escaped', async (_, raw) => {
    const response = await ask(site.extra.web, { redirect_uri: undefined }, raw);
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.getSetCookie().join()).not.toMatch(/^a=b/);
  });

  test('sent twice, it is refused, at the registered URI at most', async () => {
    const evil = 'https://evil.example/';
    for (const [first, second] of [
      [ok, evil],
      [evil, ok],
      [evil, evil],
    ] as const) {
      const response = await ask(site.extra.web, { redirect_uri: first }, encodeURIComponent(second));
      await response.body?.cancel();
      const location = response.headers.get('location');
      if (location === null) expect(response.status).toBe(400);
      else expect(location).toMatch(/^https:\/\/app\.example\/oauth\/callback\?error=invalid_request&/);
    }
  });

  test.each([
    ['left out', undefined],
    ['empty, which RFC 6749 §3.1 has treated as left out', ''],
  ])('%s, it is the only one that was registered', async (_, redirectUri) => {
    const params = { redirect_uri: redirectUri, prompt: 'none' };
    const response = await ask(site.extra.web, params);
    expect(response.headers.get('location')).toMatch(
      /^https:\/\/app\.example\/oauth\/callback\?error=login_required&/,
    );
    await expectRefused(await ask(site.extra.native, params));
  });

  test("another app's URI", async () => {
    await expectRefused(await ask(site.extra.withQuery, { redirect_uri: ok }));
    await expectRefused(await ask(site.made.apps.web, { redirect_uri: ok }));
  });

  test('a registered query that was changed', async () => {
    await expectRefused(await ask(site.extra.withQuery, { redirect_uri: 'https://app.example/callback' }));
    await expectRefused(
      await ask(site.extra.withQuery, { redirect_uri: 'https://app.example/callback?tenant=2' }),
    );
    await expectRefused(
      await ask(site.extra.withQuery, { redirect_uri: 'https://app.example/callback?tenant=1&x=1' }),
    );
  });

  test('and none of the other parameters, wrong as they may be, makes it a redirect', async () => {
    for (const query of [
      { response_type: 'token' },
      { scope: 'nothing:known' },
      { prompt: 'none' },
      { response_mode: 'fragment' },
      { response_mode: 'form_post' },
      { code_challenge: undefined },
      { request: 'x.y.z' },
      { request_uri: 'https://evil.example/' },
      { registration: '{"redirect_uris":["https://evil.example/"]}' },
    ]) {
      await expectRefused(await ask(site.extra.web, { redirect_uri: 'https://evil.example/', ...query }));
    }
  });

  test('an unknown client is 400 without Location, whatever its redirect URI', async () => {
    for (const clientId of ['app_unknown', '', 'https://evil.example/client', "' OR 1=1--", '__proto__']) {
      await expectRefused(await ask(site.extra.web, { client_id: clientId, redirect_uri: ok }));
    }
  });
});

describe('RFC 8252 §7.3: a native app may listen on any port of the loopback address', () => {
  /** Accepted: the person is sent on to sign in, on our own site. */
  const expectAccepted = async (response: Response) => {
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toContain('/oauth/interaction/');
    await response.body?.cancel();
  };

  test.each([
    'http://127.0.0.1/callback',
    'http://127.0.0.1:1024/callback',
    'http://127.0.0.1:65535/callback',
    'http://[::1]:40000/callback',
    'com.example.app:/callback',
  ])('%s is accepted', async (redirectUri) => {
    await expectAccepted(await ask(site.extra.native, { redirect_uri: redirectUri }));
  });

  test.each([
    'http://127.0.0.1:1024/callback/',
    'http://127.0.0.1:1024/',
    'http://127.0.0.1:1024/callback?x=1',
    'http://127.0.0.1:1024@evil.example/callback',
    'http://127.0.0.1.evil.example:1024/callback',
    'http://127.0.0.2:1024/callback',
    'http://2130706433:1024/callback',
    'http://0.0.0.0:1024/callback',
    'http://localhost:1024/callback',
    'https://127.0.0.1:1024/callback',
    'http://user@127.0.0.1:1024/callback',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:/../evil',
    'com.example.app:/callback/evil',
    'com.example.app.evil:/callback',
    'com.example.app://evil.example/callback',
  ])('%s is refused', async (redirectUri) => {
    await expectRefused(await ask(site.extra.native, { redirect_uri: redirectUri }));
  });

  test('a web app may not: its port is part of its URI', async () => {
    await expectRefused(await ask(site.made.apps.web, { redirect_uri: 'http://localhost:8081/callback' }));
    await expectAccepted(await ask(site.made.apps.web, { redirect_uri: 'http://localhost:8080/callback' }));
  });
});
