import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.ts';
import { send } from '../support/node-request.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { pkce, type Site, startSite } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { callbackOf, tokenRequest, walk } from './support.ts';

const { verifier, challenge } = pkce();

const request = ({ made }: Pick<Site, 'made'>, more: Record<string, string | undefined> = {}) => {
  const { web } = made.apps;
  const all = {
    client_id: web.clientId,
    client_secret: web.clientSecret,
    redirect_uri: web.redirectUris[0],
    response_type: 'code',
    scope: 'prompts:read',
    state: 's',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
};

async function push(site: Pick<Site, 'server' | 'made'>, more: Record<string, string | undefined> = {}) {
  const response = await fetch(new URL('/oauth/par', site.server.url), {
    method: 'POST',
    body: new URLSearchParams(request(site, more)),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

const authorizeUrl = (
  site: Pick<Site, 'server' | 'made'>,
  requestUri: unknown,
  more: Record<string, string> = {},
) => {
  const url = new URL('/oauth/authorize', site.server.url);
  url.search = new URLSearchParams({
    client_id: site.made.apps.web.clientId,
    request_uri: String(requestUri),
    ...more,
  }).toString();
  return url.href;
};

describe('Pushed authorization requests', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, 60_000);
  afterAll(() => site.stop());

  test('RFC 9126 §2.2: 201 with request_uri and expires_in, never stored; the code flow goes on from it', async () => {
    const pushed = await push(site);
    expect(pushed).toMatchObject({ status: 201, body: { expires_in: 60 } });
    expect(pushed.body['request_uri']).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{20,}$/);
    expect(pushed.headers.get('cache-control')).toBe('no-store');

    const walked = await walk(
      createUserAgent(site.server.url),
      authorizeUrl(site, pushed.body['request_uri']),
      site.made.user,
    );
    const callback = callbackOf(walked);
    expect(Object.fromEntries(callback)).toMatchObject({ state: 's', iss: site.server.url });
    const { status, body } = await tokenRequest(site, {
      grant_type: 'authorization_code',
      client_id: site.made.apps.web.clientId,
      client_secret: site.made.apps.web.clientSecret,
      redirect_uri: site.made.apps.web.redirectUris[0] as string,
      code: callback.get('code') ?? '',
      code_verifier: verifier,
    });
    expect({ status, scope: body['scope'] }).toEqual({ status: 200, scope: 'prompts:read' });
  });

  test('RFC 9126 §4: what stands beside the request_uri changes nothing of what was pushed', async () => {
    const pushed = await push(site, { prompt: 'consent' });
    const url = authorizeUrl(site, pushed.body['request_uri'], {
      scope: 'organization:admin',
      state: 'other',
    });
    const walked = await walk(createUserAgent(site.server.url), url, site.made.user);
    expect(callbackOf(walked).get('state')).toBe('s');
    expect(walked.consent?.html).not.toContain('organization:admin');
  });

  test.each([
    ['the secret is wrong', { client_secret: 'secret_wrong' }, 401, 'invalid_client'],
    ['the secret is missing', { client_secret: undefined }, 401, 'invalid_client'],
    ['the redirect URI is another', { redirect_uri: 'https://evil.example/' }, 400, 'invalid_request'],
    ['a scope is unknown', { scope: 'prompts:read nonsense' }, 400, 'invalid_scope'],
    ['offline_access is asked for', { scope: 'prompts:read offline_access' }, 400, 'invalid_scope'],
    [
      'PKCE is left out',
      { code_challenge: undefined, code_challenge_method: undefined },
      400,
      'invalid_request',
    ],
    ['PKCE is plain', { code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['a response type is repeated', { response_type: 'code code' }, 400, 'unsupported_response_type'],
    [
      '§2.1: it carries a request_uri',
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      400,
      'request_uri_not_supported',
    ],
  ])('RFC 9126 §2.3: refused when %s', async (_, more, status, error) => {
    const pushed = await push(site, more);
    expect(pushed).toMatchObject({ status, body: { error } });
  });

  test("RFC 9126 §2.2: a request_uri works for nobody but the app that pushed it, and an unknown one doesn't", async () => {
    const pushed = await push(site);
    for (const url of [
      authorizeUrl(site, pushed.body['request_uri'], { client_id: site.made.apps.spa.clientId }),
      authorizeUrl(site, 'urn:ietf:params:oauth:request_uri:unknown-unknown-unknown'),
      authorizeUrl(site, 'https://evil.example/request.jwt'),
    ]) {
      const page = await createUserAgent(site.server.url).open(url);
      expect({ status: page.status, leftTo: page.leftTo }).toEqual({ status: 400, leftTo: undefined });
    }
  });

  test('GET and JSON are refused', async () => {
    const url = new URL('/oauth/par', site.server.url);
    expect((await fetch(url)).status).toBe(405);
    const json = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(request(site)),
      headers: { 'Content-Type': 'application/json' },
    });
    expect({ status: json.status, body: await json.json() }).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  test('OpenID Connect Core §3.1.2.1: an authorization request may be posted; it is asked for again with a GET', async () => {
    const { challenge: code_challenge } = pkce();
    const form = { ...request(site, { code_challenge }), client_secret: '' };
    const response = await fetch(new URL('/oauth/authorize', site.server.url), {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
    expect(response.status).toBe(303);
    const walked = await walk(
      createUserAgent(site.server.url),
      response.headers.get('location') ?? '',
      site.made.user,
    );
    expect(callbackOf(walked).get('code')).toBeTruthy();
  });
});

describeWith('postgresql', 'Pushed requests on two servers', () => {
  let site: TwoNodes<undefined>;

  beforeAll(async () => {
    site = await startTwoNodes(async () => undefined);
  }, 90_000);
  afterAll(() => site?.stop());

  /** A browser that is signed in and has allowed the app: its next request is answered without a page. */
  async function readyBrowser(): Promise<UserAgent> {
    const agent = createUserAgent(site.server.url);
    const pushed = await push(site);
    callbackOf(await walk(agent, authorizeUrl(site, pushed.body['request_uri']), site.made.user));
    return agent;
  }

  test('single use under race: of 50 uses of one request_uri at once, on two nodes, exactly one gets a code', async () => {
    const agent = await readyBrowser();
    const { body } = await push(site);
    const url = authorizeUrl(site, body['request_uri']);
    const cookie = await agent.jar.getCookieString(url);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => sendAs(site.nodes[i % 2] as ServerProcess, url, cookie)),
    );
    const codes = answers.filter((location) => location?.searchParams.has('code'));
    expect(codes).toHaveLength(1);
    const errors = new Set(
      answers.filter((l) => !l?.searchParams.has('code')).map((l) => l?.searchParams.get('error')),
    );
    expect([...errors].every((error) => error === 'invalid_request_uri' || error === undefined)).toBe(true);
  }, 60_000);

  test('a request_uri that gave a code gives none later, at another node', async () => {
    const agent = await readyBrowser();
    const { body } = await push(site);
    const url = authorizeUrl(site, body['request_uri']);
    expect((await agent.open(url)).leftTo?.searchParams.get('code')).toBeTruthy();
    const again = await agent.open(url);
    expect({ status: again.status, leftTo: again.leftTo }).toEqual({ status: 400, leftTo: undefined });
  });
});

/** The Location of the answer of that node. */
async function sendAs(node: ServerProcess, url: string, cookie: string): Promise<URL | undefined> {
  const { pathname, search } = new URL(url);
  const { location } = (await send(node, pathname + search, { Cookie: cookie })).headers;
  return location === undefined ? undefined : new URL(location, url);
}
