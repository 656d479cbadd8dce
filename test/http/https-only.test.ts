import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sendRaw, startApp, type TestApp } from './support.ts';

const HOSTS = { apiUrl: 'https://api.example.com', webUrl: 'https://example.com' };

let app: TestApp;
const ask = (host: string, path: string, headers = '', method = 'GET') =>
  sendRaw(app.port, `${method} ${path} HTTP/1.1\nHost: ${host}\n${headers}`);

describe('in production', () => {
  beforeEach(async () => {
    const ok = () => (ctx: { body: unknown }) => {
      ctx.body = 'ok';
    };
    app = await startApp(ok, { ...HOSTS, production: true, trustedProxies: ['127.0.0.1'] });
  });
  afterEach(() => app.close());

  test.each([
    ['GET', '/v1/prompts'],
    ['POST', '/oauth/token'],
    ['POST', '/oauth/device_authorization'],
    ['GET', '/.well-known/jwks.json'],
    ['GET', '/unknown'],
  ])('%s %s over plain HTTP is refused, and not redirected', async (method, path) => {
    const answer = await ask('api.example.com', path, 'Content-Length: 0', method);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'https_required', status: 403 });
    expect(answer.headers.has('location')).toBe(false);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata=/);
  });

  test('pages redirect, keeping path and query, and never to another host', async () => {
    const answer = await ask('example.com', '/login?next=1');
    expect(answer.status).toBe(308);
    expect(answer.headers.get('location')).toBe('https://example.com/login?next=1');
    expect((await ask('example.com', '//evil.example/x')).headers.get('location')).toBe(
      'https://example.com//evil.example/x',
    );
  });

  test('RFC 6797 §7.2: only secure answers carry Strict-Transport-Security', async () => {
    const secure = await ask('example.com', '/login', 'X-Forwarded-Proto: https');
    expect(secure.status).toBe(200);
    expect(secure.headers.get('strict-transport-security')).toMatch(/^max-age=31536000/);
    expect((await ask('example.com', '/login')).headers.has('strict-transport-security')).toBe(false);
  });

  test('the API answers behind a proxy that ended TLS', async () => {
    expect((await ask('api.example.com', '/v1/prompts', 'X-Forwarded-Proto: https')).status).toBe(200);
  });

  test('the probes answer over plain HTTP', async () => {
    expect((await ask('10.0.0.1', '/livez')).status).toBe(200);
  });
});

test('in production a client that is no trusted proxy cannot say that it came over TLS', async () => {
  app = await startApp(() => () => {}, { ...HOSTS, production: true });
  expect((await ask('api.example.com', '/v1/prompts', 'X-Forwarded-Proto: https')).status).toBe(403);
  await app.close();
});
