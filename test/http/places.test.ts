import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { placeOf } from '../../src/http/places.ts';
import { sendRaw, startApp, type TestApp } from './support.ts';

test.each([
  ['/v1/prompts', 'api'],
  ['/V1/prompts', 'api'],
  ['/v1x', undefined],
  ['/openapi.json', 'api'],
  ['/.well-known/openid-configuration', 'api'],
  ['/oauth/token', 'api'],
  ['/OAuth/Token', 'api'],
  ['/oauth/introspect', 'api'],
  ['/oauth/device_authorization', 'api'],
  ['/gateway/authorize', 'api'],
  ['/secret-scanning/report', 'api'],
  ['/oauth/authorize', 'web'],
  ['/oauth/authorize/abc', 'web'],
  ['/oauth/interaction/abc/login', 'web'],
  ['/oauth/device', 'web'],
  ['/oauth/device/abc', 'web'],
  ['/oauth/logout/confirm', 'web'],
  ['/', 'web'],
  ['/assets/site.css', 'web'],
  ['/docs', 'web'],
  ['/docs/errors/not_found', 'web'],
  ['/login', 'web'],
  ['/login/x', undefined],
  ['/account/security', 'web'],
  ['/console', 'web'],
  ['/livez', 'both'],
  ['/readyz', 'both'],
  ['//v1/prompts', undefined],
  ['/%761/prompts', undefined],
  ['/metrics', undefined],
])('%s belongs to %s', (path, place) => {
  expect(placeOf(path)).toBe(place);
});

describe('with two origins', () => {
  let app: TestApp;
  beforeAll(async () => {
    const ok = () => (ctx: { body: unknown }) => {
      ctx.body = 'ok';
    };
    app = await startApp(ok, {
      apiUrl: 'http://api.example.com',
      webUrl: 'http://example.com',
      withPlaces: true,
    });
  });
  afterAll(() => app.close());

  test.each([
    ['api.example.com', '/v1/prompts', 200],
    ['example.com', '/v1/prompts', 404],
    ['example.com', '/login', 200],
    ['api.example.com', '/login', 404],
    ['example.com', '/oauth/authorize', 200],
    ['api.example.com', '/oauth/authorize', 404],
    ['example.com', '/oauth/token', 404],
    ['api.example.com', '/oauth/device_authorization', 200],
    ['example.com', '/oauth/device_authorization', 404],
    ['api.example.com', '/livez', 200],
    ['example.com', '/unknown', 404],
  ])('%s%s is %i', async (host, path, status) => {
    expect((await sendRaw(app.port, `GET ${path} HTTP/1.1\nHost: ${host}`)).status).toBe(status);
  });
});
