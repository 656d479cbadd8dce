import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { getCode } from './support.ts';

const FORM = 'application/x-www-form-urlencoded';

type Answer = { status: number; head: string; body: string };

let site: PreparedSite<object>;
let agent: UserAgent;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async () => ({}));
  agent = createUserAgent(site.server.url);
}, 120_000);

afterAll(() => site?.stop());

/** Bytes as they stand, for what no HTTP client would send. Resolves when the server closes the connection. */
async function send(lines: string[], body: string | Buffer = ''): Promise<Answer> {
  const socket = connect(site.server.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {}); // a reset after the answer is the server's right
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`, 'latin1');
  socket.write(body);
  await closed;
  const text = Buffer.concat(chunks).toString();
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(text.split(' ')[1]), head: text.slice(0, end), body: text.slice(end + 4) };
}

const host = () => `Host: ${new URL(site.server.url).host}`;

const postForm = (path: string, body: string | Buffer, ...headers: string[]) =>
  send(
    [
      `POST ${path} HTTP/1.1`,
      host(),
      `Content-Type: ${FORM}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
    ],
    body,
  );

/** Refused as the client's fault, with nothing of our inside in it. */
function expectRefused({ status, head, body }: Answer): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(head).not.toMatch(/^location:/im);
  expectQuiet(body);
}

function expectQuiet(body: string): void {
  expect(body).not.toMatch(
    /\bat (?:async )?[\w.<]+ \(|node_modules|\.ts:\d|node:internal|select |insert into|SQLSTATE/,
  );
}

const TOKEN_PARAMETERS = [
  'grant_type',
  'client_id',
  'client_secret',
  'code',
  'redirect_uri',
  'code_verifier',
  'scope',
  'refresh_token',
  'resource',
  'unknown',
] as const;

const tokenForm = (): Record<(typeof TOKEN_PARAMETERS)[number], string> => ({
  grant_type: 'authorization_code',
  client_id: site.made.apps.web.clientId,
  client_secret: site.made.apps.web.clientSecret,
  code: 'x',
  redirect_uri: 'http://localhost:8080/callback',
  code_verifier: 'x'.repeat(43),
  scope: 'prompts:read',
  refresh_token: 'x',
  resource: `${site.server.url}/v1`,
  unknown: 'x',
});

const AUTHORIZATION_PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'prompt',
  'max_age',
  'login_hint',
  'acr_values',
  'claims',
  'resource',
  'response_mode',
  'id_token_hint',
  'ui_locales',
  'request',
  'request_uri',
  'unknown',
] as const;

const BAD_TEXTS = [
  ['NUL', '%00'],
  ['NUL in the middle', 'a%00b'],
  ['a byte that is not UTF-8', '%ff'],
  ['a sequence that ends early', '%e2%82'],
  ['an overlong NUL', '%c0%80'],
  ['half a surrogate pair', '%ed%a0%80'],
  ['an escape that is none', '%zz'],
  ['an escape that ends early', '%2'],
] as const;

describe('what is no text', () => {
  test.each(AUTHORIZATION_PARAMETERS)('in %s of an authorization request is refused', async (name) => {
    const url = new URL(authorizationUrl(site, pkce().challenge, { [name]: undefined }));
    for (const [, value] of BAD_TEXTS) {
      const path = `${url.pathname}${url.search}&${name}=${value}`;
      expectRefused(await send([`GET ${path} HTTP/1.1`, host(), 'Accept: text/html']));
    }
  });

  test.each(TOKEN_PARAMETERS)('in %s of a token request is refused', async (name) => {
    const others = Object.entries(tokenForm()).filter(([other]) => other !== name);
    for (const [, value] of BAD_TEXTS) {
      const body = `${new URLSearchParams(others).toString()}&${name}=${value}`;
      const answer = await postForm('/oauth/token', body);
      expectRefused(answer);
      expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' });
    }
  });

  test.each([
    ['/login', ['email', 'password', '_csrf', 'unknown']],
    ['/signup', ['name', 'email', 'password', 'organization', '_csrf']],
    ['/forgot-password', ['email', '_csrf']],
    ['/reset-password', ['token', 'password', '_csrf']],
    ['/confirm-email', ['token', '_csrf']],
    ['/logout', ['_csrf']],
  ])('in a field of the form of %s is refused', async (path, fields) => {
    const page = await agent.open('/login');
    const token = /name="_csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
    const cookie = `Cookie: ${await agent.jar.getCookieString(site.server.url)}`;
    for (const field of fields) {
      for (const [, value] of BAD_TEXTS) {
        const csrf = field === '_csrf' ? '' : `&_csrf=${token}`;
        expectRefused(await postForm(path, `${field}=${value}${csrf}`, cookie));
      }
    }
  });

  test('raw bytes that are not UTF-8, in a body and in a path', async () => {
    for (const path of ['/oauth/token', '/login']) {
      expectRefused(await postForm(path, Buffer.from([0x61, 0x3d, 0xff, 0xfe, 0x00])));
    }
    expectRefused(await send([`GET /oauth/authorize?state=\xff HTTP/1.1`, host()]));
    expectRefused(await send([`GET /\x01 HTTP/1.1`, host()]));
  });

  test.each(['client_id', 'client_secret'])('in %s of HTTP Basic is refused', async (name) => {
    for (const [, value] of BAD_TEXTS) {
      const pair = name === 'client_id' ? `${value}:secret` : `${site.made.apps.web.clientId}:${value}`;
      for (const credentials of [pair, decodeLoosely(pair)]) {
        const header = `Authorization: Basic ${Buffer.from(credentials, 'latin1').toString('base64')}`;
        expectRefused(await postForm('/oauth/token', 'grant_type=client_credentials', header));
      }
    }
  });

  test('in a path is refused', async () => {
    for (const path of [
      '/%00',
      '/oauth/interaction/%00',
      '/oauth/authorize/%00',
      '/docs/errors/%00',
      '/%ff',
    ]) {
      expectRefused(await send([`GET ${path} HTTP/1.1`, host(), 'Accept: text/html']));
    }
  });

  test('in a cookie opens nothing', async () => {
    for (const value of ['%00', '\xff\xfe', 'a"b', '__proto__', 'x'.repeat(6000)]) {
      const cookie = `Cookie: pr_session=${value}; pr_session.sig=${value}; pr_interaction=${value}; pr_csrf=${value}`;
      const answer = await send(['GET / HTTP/1.1', host(), cookie, 'Accept: text/html']);
      expect(answer.status).toBeLessThan(500);
      expectQuiet(answer.body);
    }
  });
});

describe('sizes', () => {
  test.each(['/oauth/token', '/login', '/signup'])('10 MB to %s are 413, said or not', async (path) => {
    const post = (body: string | ReadableStream<Uint8Array>) =>
      fetch(new URL(path, site.server.url), {
        method: 'POST',
        headers: { 'Content-Type': FORM, Accept: 'text/html' },
        body,
        ...(typeof body === 'string' ? {} : { duplex: 'half' as const }),
      });
    let left = 1_000;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => (left-- > 0 ? controller.enqueue(Buffer.alloc(10_000, 'a')) : controller.close()),
    });
    for (const body of ['a'.repeat(10_000_000), stream]) {
      const response = await post(body);
      expect(response.status).toBe(413);
      expectQuiet(await response.text());
    }
  });

  test('a body that is shorter than it says, longer, or compressed is refused', async () => {
    expectRefused(
      await send(
        [
          'POST /oauth/token HTTP/1.1',
          host(),
          `Content-Type: ${FORM}`,
          'Content-Length: 5',
          'Content-Encoding: gzip',
        ],
        'a=b&c',
      ),
    );
    expectRefused(
      await send(
        [
          'POST /oauth/token HTTP/1.1',
          host(),
          `Content-Type: ${FORM}`,
          'Content-Length: 3',
          'Transfer-Encoding: chunked',
        ],
        '0\r\n\r\n',
      ),
    );
    expectRefused(
      await send(
        [
          'POST /oauth/token HTTP/1.1',
          host(),
          `Content-Type: ${FORM}`,
          'Content-Length: 3',
          'Content-Length: 4',
        ],
        'abcd',
      ),
    );
  });

  test('10,000 parameters, and a URL or header of 100 kB, are refused', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `${i}=1`).join('&');
    expectRefused(await postForm('/oauth/token', many));
    for (const long of [
      [`GET /oauth/authorize?state=${'x'.repeat(100_000)} HTTP/1.1`, host()],
      ['GET / HTTP/1.1', host(), `X-Long: ${'x'.repeat(100_000)}`],
    ]) {
      const answer = await send(long);
      if (!Number.isNaN(answer.status)) expectRefused(answer); // else the connection was cut while we were sending
    }
  });

  test('a long value where a short one belongs is refused', async () => {
    const long = 'x'.repeat(60_000);
    for (const name of ['client_id', 'code', 'scope', 'grant_type', 'client_secret']) {
      expectRefused(
        await postForm('/oauth/token', new URLSearchParams({ ...tokenForm(), [name]: long }).toString()),
      );
    }
  });
});

describe('RFC 9112 §3.2: Host', () => {
  const paths = [
    '/oauth/authorize',
    '/oauth/token',
    '/login',
    '/.well-known/openid-configuration',
    '/v1/me',
    '/',
  ];

  test.each([
    ['another name', () => ['Host: evil.example']],
    ['none', () => []],
    ['an empty one', () => ['Host:']],
    ['two', () => [host(), 'Host: evil.example']],
    ['the same twice', () => [host(), host()]],
    ['ours as userinfo', () => [`Host: localhost:${site.server.port}@evil.example`]],
    ['another as userinfo', () => [`Host: evil.example@localhost:${site.server.port}`]],
    ['a path after it', () => [`Host: localhost:${site.server.port}/evil`]],
    ['another port', () => ['Host: localhost:1']],
    ['a trailing dot', () => [`Host: localhost.:${site.server.port}`]],
    ['spaces inside', () => [`Host: localhost :${site.server.port}`]],
    ['a comma', () => [`Host: localhost:${site.server.port}, evil.example`]],
  ])('%s is 400', async (_, hosts) => {
    for (const path of paths) {
      const answer = await send([`GET ${path} HTTP/1.1`, ...hosts()]);
      expect(answer.status).toBe(400);
      expect(answer.head + answer.body).not.toContain('evil.example');
    }
  });

  test('no header of a proxy changes the names in the metadata, links or redirects', async () => {
    const headers = [
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 1',
      'Forwarded: host=evil.example;proto=https',
      'X-Original-URL: /evil',
      'X-Rewrite-URL: /evil',
    ];
    const metadata = await send(['GET /.well-known/openid-configuration HTTP/1.1', host(), ...headers]);
    expect(metadata.body).toContain(`"issuer":"${site.server.url}"`);
    expect(metadata.body).not.toMatch(/evil|https:/);
    const url = new URL(authorizationUrl(site, pkce().challenge));
    const started = await send([`GET ${url.pathname}${url.search} HTTP/1.1`, host(), ...headers]);
    expect(started.status).toBe(303);
    expect(started.head).toContain(`${site.server.url}/oauth/interaction/`);
    expect(started.head).not.toContain('evil');
  });

  test('a target that names another host is 400', async () => {
    for (const target of [
      'http://evil.example/',
      'http://evil.example/oauth/authorize',
      '//evil.example/login',
    ]) {
      const { status, head } = await send([`GET ${target} HTTP/1.1`, host()]);
      expect([400, 404]).toContain(status);
      expect(head).not.toContain('evil');
    }
  });
});

describe('two credentials', () => {
  const basic = (secret: string) =>
    `Authorization: Basic ${Buffer.from(`${site.made.apps.service.clientId}:${secret}`).toString('base64')}`;

  test('two Authorization headers at the token endpoint are refused, in either order', async () => {
    const right = basic(site.made.apps.service.clientSecret);
    const wrong = basic(`secret_${'A'.repeat(36)}`);
    for (const headers of [
      [right, wrong],
      [wrong, right],
      [right, right],
    ]) {
      const answer = await postForm('/oauth/token', 'grant_type=client_credentials', ...headers);
      expectRefused(answer);
      expect(answer.body).not.toContain('access_token');
    }
  });

  test('two Content-Type headers do not get a body past the form reader', async () => {
    const body = '{"grant_type":"client_credentials"}';
    const answer = await send(
      [
        'POST /oauth/token HTTP/1.1',
        host(),
        `Content-Type: ${FORM}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ],
      body,
    );
    expectRefused(answer);
  });
});

describe('every answer', () => {
  const pages = (): string[] => [
    '/',
    '/login',
    '/signup',
    '/forgot-password',
    '/logout',
    '/docs',
    '/docs/errors/not_found',
    '/confirm-email?token=x',
    '/reset-password?token=x',
    '/no-such-page',
    '/oauth/authorize',
    '/oauth/authorize?client_id=x',
    '/oauth/authorize/unknown',
    '/oauth/interaction/unknown',
    '/console/unknown',
    '/%00',
    '/%ff',
    '/oauth/logout',
    '/oauth/device',
    '/.well-known/openid-configuration',
    '/.well-known/jwks.json',
    '/v1/me',
    '/v1/unknown',
    '/oauth/token',
    '/livez',
    new URL(authorizationUrl(site, pkce().challenge)).pathname,
  ];

  test('carries a strict CSP, nosniff, no framing and no foreign referrers: pages, errors and the API', async () => {
    for (const path of pages()) {
      for (const accept of ['text/html', 'application/json']) {
        const { status, head, body } = await send([`GET ${path} HTTP/1.1`, host(), `Accept: ${accept}`]);
        const policy = /^content-security-policy: (.*)$/im.exec(head)?.[1] ?? '';
        expect(`${path} ${policy}`).toMatch(/default-src 'none'/);
        expect(policy).toMatch(/frame-ancestors 'none'/);
        expect(policy).toMatch(/base-uri 'none'/);
        expect(policy).not.toMatch(/unsafe|\*/);
        expect(head).toMatch(/^x-content-type-options: nosniff$/im);
        expect(head).toMatch(/^x-frame-options: DENY$/im);
        expect(head).toMatch(/^referrer-policy: (same-origin|no-referrer)$/im);
        expect(head).not.toMatch(/^(server|x-powered-by):/im);
        expect(`${path} ${status}`).not.toMatch(/ 5\d\d$/);
        expectQuiet(body);
      }
    }
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT'])(
    'an answer of the API to %s carries each of them once',
    async (method) => {
      const authorization = `Authorization: Bearer ${site.made.apiKeys.live}`;
      const { head } = await send([`${method} /v1/me HTTP/1.1`, host(), authorization]);
      const names = head.split('\r\n').flatMap((line) => /^([\w-]+):/.exec(line)?.[1]?.toLowerCase() ?? []);
      expect(names).toEqual([...new Set(names)]);
      expect(names).toEqual(
        expect.arrayContaining([
          'content-security-policy',
          'x-content-type-options',
          'x-frame-options',
          'referrer-policy',
          'x-request-id',
          'access-control-allow-origin',
          'access-control-expose-headers',
        ]),
      );
    },
  );

  test('the steps of an authorization carry it too, and allow the form to end at the app alone', async () => {
    const login = await agent.open(authorizationUrl(site, pkce().challenge));
    const { user } = site.made;
    const consent = await agent.submit(login, { email: user.email, password: user.password }, '/login');
    for (const page of [login, consent]) {
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("form-action 'self' http://localhost:8080;");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(page.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('a page that holds a form or a secret is kept by no cache', async () => {
    for (const path of [
      '/login',
      '/signup',
      '/forgot-password',
      '/reset-password?token=x',
      '/confirm-email?token=x',
    ]) {
      const { head } = await send([`GET ${path} HTTP/1.1`, host(), 'Accept: text/html']);
      expect(head).toMatch(/^cache-control: no-store$/im);
    }
    expect((await getCode(site)).code).toBeTruthy();
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'HEAD', 'CONNECT', 'FOO'])(
    '%s is no way to a 5xx',
    async (method) => {
      for (const path of ['/login', '/oauth/authorize', '/oauth/token', '/.well-known/jwks.json', '/v1/me']) {
        const { status, body } = await send([`${method} ${path} HTTP/1.1`, host()]);
        expect(`${method} ${path} ${status || 400}`).not.toMatch(/ 5\d\d$/);
        expectQuiet(body);
      }
    },
  );
});

/** The bytes that the escapes stand for; what is no escape stays. */
const decodeLoosely = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
