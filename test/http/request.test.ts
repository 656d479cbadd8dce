import { afterEach, describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { sendRaw, startApp, type TestApp, type TestConfig } from './support.ts';

const facts = (ctx: Context) => {
  ctx.body = {
    ip: ctx.ip,
    protocol: ctx.protocol,
    secure: ctx.secure,
    host: ctx.host,
    href: ctx.href,
    url: String(ctx.URL),
    serves: ctx.state.serves,
  };
};

let app: TestApp;
const start = async (options: Partial<TestConfig> = {}) => {
  app = await startApp(() => facts, options);
  return app;
};
afterEach(() => app.close());

const ask = async (headers: string, path = '/v1/me') => {
  const answer = await sendRaw(app.port, `GET ${path} HTTP/1.1\n${headers}`);
  return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown> };
};

describe('the Host header', () => {
  const two = { apiUrl: 'https://api.example.com', webUrl: 'https://example.com' };

  test('says which of the two origins is asked', async () => {
    await start(two);
    expect((await ask('Host: api.example.com')).json['serves']).toEqual({ api: true, web: false });
    expect((await ask('Host: EXAMPLE.com:443', '/')).json['serves']).toEqual({ api: false, web: true });
  });

  test('stands for both origins where they are one', async () => {
    await start();
    expect((await ask(`Host: 127.0.0.1:${app.port}`)).json['serves']).toEqual({ api: true, web: true });
  });

  test.each([
    ['another host', 'Host: evil.example'],
    ['a subdomain', 'Host: x.api.example.com'],
    ['a suffix', 'Host: api.example.com.evil.example'],
    ['a trailing dot', 'Host: api.example.com.'],
    ['another port', 'Host: api.example.com:8443'],
    ['user information', 'Host: a:b@evil'],
    ['user information before our own name', 'Host: evil.example@api.example.com'],
    ['nothing', 'Host:'],
    ['two hosts, ours first', 'Host: api.example.com\nHost: evil.example'],
    ['the same host twice', 'Host: api.example.com\nHost: api.example.com'],
    ['a list', 'Host: api.example.com, evil.example'],
    ['X-Forwarded-Host in its place', 'Host: evil.example\nX-Forwarded-Host: api.example.com'],
  ])('RFC 9112 §3.2: %s is 400', async (_name, headers) => {
    await start(two);
    const answer = await sendRaw(app.port, `GET /v1/me HTTP/1.1\n${headers}`);
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain('evil');
  });

  test('may be absent or strange at the probes, which are asked by address', async () => {
    await start(two);
    expect((await ask('Host: 10.1.2.3:3000', '/livez')).status).toBe(200);
    expect((await sendRaw(app.port, 'GET /readyz HTTP/1.0')).status).toBe(200);
    expect((await sendRaw(app.port, 'GET /v1/me HTTP/1.0')).status).toBe(400);
  });

  test('X-Forwarded-Host changes nothing', async () => {
    await start({ ...two, trustedProxies: ['127.0.0.1'] });
    expect((await ask('Host: api.example.com\nX-Forwarded-Host: evil.example')).json['host']).toBe(
      'api.example.com',
    );
  });

  test('RFC 9112 §3.2.2: a whole URL as the target counts as its path when it names the same host', async () => {
    await start(two);
    const same = await ask('Host: api.example.com', 'http://api.example.com/v1/me?a=1');
    expect(same.json['href']).toBe('http://api.example.com/v1/me?a=1');
    for (const target of [
      'http://evil.example/v1/me',
      'http://u@api.example.com/v1/me',
      'ftp://api.example.com/',
    ]) {
      expect((await ask('Host: api.example.com', target)).status).toBe(400);
    }
  });
});

describe('the sender', () => {
  const trusting = { trustedProxies: ['127.0.0.1/32', '10.0.0.0/8'] };
  const host = () => `Host: 127.0.0.1:${app.port}\n`;

  test.each([
    ['X-Forwarded-For: 192.0.2.1'],
    ['X_Forwarded_For: 192.0.2.1'],
    ['X-Real-IP: 192.0.2.1'],
    ['Forwarded: for=192.0.2.1;proto=https'],
    ['X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https'],
  ])('without trusted proxies is the peer, whatever %j says', async (headers) => {
    await start();
    expect((await ask(host() + headers)).json).toMatchObject({
      ip: '127.0.0.1',
      protocol: 'http',
      secure: false,
    });
  });

  test.each([
    ['X-Forwarded-For: 198.51.100.9', '198.51.100.9'],
    ['X-Forwarded-For: 192.0.2.1, 198.51.100.9', '198.51.100.9'],
    ['X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 198.51.100.9', '198.51.100.9'],
    ['X-Forwarded-For: 192.0.2.1, 198.51.100.9, 10.0.0.3', '198.51.100.9'],
    ['X-Forwarded-For: ::ffff:198.51.100.9', '198.51.100.9'],
    ['X-Forwarded-For: 198.51.100.9:4711', '198.51.100.9'],
    ['X-Forwarded-For: [2001:db8::9]:4711', '2001:db8::9'],
    ['X-Forwarded-For: 192.0.2.1, fe80::9%eth0', 'fe80::9'],
    ['X-Forwarded-For: 192.0.2.1, nonsense', '127.0.0.1'],
    ['X_Forwarded_For: 192.0.2.1\nX-Forwarded-For: 198.51.100.9', '198.51.100.9'],
    ['X_Forwarded_For: 192.0.2.1', '127.0.0.1'],
  ])('behind a trusted proxy that sends %j is %s', async (headers, ip) => {
    await start(trusting);
    expect((await ask(host() + headers)).json['ip']).toBe(ip);
  });

  test.each([
    ['https', true],
    ['HTTPS', true],
    ['http', false],
    ['http, https', false],
    ['https, http', false],
    ['https, https', true],
    ['', false],
  ])('came over TLS when a trusted proxy says X-Forwarded-Proto: %s: %s', async (proto, secure) => {
    await start(trusting);
    const { json } = await ask(`${host()}X-Forwarded-Proto: ${proto}`);
    expect(json).toMatchObject({ secure, protocol: secure ? 'https' : 'http' });
    expect(json['href']).toBe(`${secure ? 'https' : 'http'}://127.0.0.1:${app.port}/v1/me`);
    expect(json['url']).toBe(json['href']);
  });
});

describe('the path and query', () => {
  test.each([
    ['/v1/prompts/%00'],
    ['/v1/prompts?cursor=%00'],
    ['/v1/prompts?%00=1'],
    ['/v1/prompts/%ff'],
    ['/v1/prompts?cursor=%c3%28'],
    ['/v1/prompts?cursor=%ed%a0%80'],
    ['/v1/prompts/%'],
    ['/v1/prompts/%zz'],
    ['/v1/prompts?cursor=%c0%80'],
    ['/v1/prompts?cursor=\xff'],
    ['/v1/prompts?cursor=\xc3\xa9'],
  ])('%j is 400', async (path) => {
    await start();
    expect((await sendRaw(app.port, `GET ${path} HTTP/1.1\nHost: 127.0.0.1:${app.port}`)).status).toBe(400);
  });

  test('may hold escaped UTF-8', async () => {
    await start();
    expect((await fetch(`${app.url}/v1/prompts?cursor=é漢🙂`)).status).toBe(200);
  });
});

describe('the access log', () => {
  test('has one line a request, without the query, with the id that the answer names', async () => {
    await start();
    const key = `pr_live_${'a'.repeat(36)}`;
    const answer = await fetch(`${app.url}/v1/prompts?access_token=${key}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await answer.text();
    const [line, ...others] = app.lines();
    expect(others).toEqual([]);
    expect(line).toMatchObject({ method: 'GET', path: '/v1/prompts', status: 200, ip: '127.0.0.1' });
    expect(line?.['requestId']).toBe(answer.headers.get('x-request-id'));
    expect(app.log()).not.toContain(key);
  });

  test('every answer has an id of its own, refused ones too', async () => {
    await start();
    const ids = [];
    for (const path of ['/v1/me', '/%00', '/v1/me']) {
      ids.push(
        (await sendRaw(app.port, `GET ${path} HTTP/1.1\nHost: 127.0.0.1:${app.port}`)).headers.get(
          'x-request-id',
        ),
      );
    }
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-z]{26}$/);
  });

  test("an id that the client sends is not taken for the request's own", async () => {
    await start();
    const answer = await fetch(`${app.url}/v1/me`, { headers: { 'x-request-id': 'req_mine' } });
    expect(answer.headers.get('x-request-id')).not.toBe('req_mine');
  });
});
