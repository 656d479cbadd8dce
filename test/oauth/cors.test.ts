import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Site, startSite } from '../support/site.ts';

const ORIGIN = 'https://app.example';

/**
 * Fetch Standard, "CORS protocol": what a script of another site needs to find its way by itself: from a 401 to the metadata, to a
 * registration, to a token, to a call.
 */
describe('A single-page app of another origin', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ REGISTRATION: 'open' });
  }, 60_000);
  afterAll(() => site.stop());

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, site.server.url), {
      ...init,
      headers: { Origin: ORIGIN, ...(init.headers as Record<string, string>) },
    });
  const list = (headers: Headers, name: string) =>
    (headers.get(name) ?? '').split(',').map((entry) => entry.trim().toLowerCase());

  function expectReadable({ headers }: Response, ...exposed: string[]): void {
    expect(['*', ORIGIN]).toContain(headers.get('access-control-allow-origin'));
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(list(headers, 'access-control-expose-headers')).toEqual(expect.arrayContaining(exposed));
  }

  test.each([
    ['GET', '/.well-known/oauth-protected-resource', ['mcp-protocol-version']],
    ['GET', '/.well-known/oauth-protected-resource/v1', ['mcp-protocol-version']],
    ['GET', '/.well-known/oauth-authorization-server', ['mcp-protocol-version']],
    ['GET', '/.well-known/openid-configuration', ['mcp-protocol-version']],
    ['GET', '/.well-known/jwks.json', []],
    ['GET', '/openapi.json', []],
    ['POST', '/oauth/register', ['content-type']],
    ['POST', '/oauth/token', ['content-type', 'dpop']],
    ['POST', '/oauth/par', ['content-type', 'dpop']],
    ['POST', '/oauth/revoke', ['content-type']],
    ['GET', '/oauth/userinfo', ['authorization', 'dpop']],
    ['GET', '/v1/me', ['authorization', 'dpop', 'mcp-protocol-version']],
    ['PATCH', '/v1/prompts/prm_00000000000000000000000000', ['authorization', 'content-type', 'dpop']],
  ] as const)('may send %s to %s, with the headers that it takes', async (method, path, names) => {
    const preflight = await ask(path, {
      method: 'OPTIONS',
      headers: {
        'Access-Control-Request-Method': method,
        ...(names.length > 0 ? { 'Access-Control-Request-Headers': names.join(',') } : {}),
      },
    });
    expect(preflight.status).toBe(204);
    expectReadable(preflight);
    expect(list(preflight.headers, 'access-control-allow-methods')).toContain(method.toLowerCase());
    expect(list(preflight.headers, 'access-control-allow-headers')).toEqual(
      expect.arrayContaining([...names]),
    );
  });

  test.each([
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/v1',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/jwks.json',
    '/openapi.json',
  ])('reads %s', async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expectReadable(answer);
  });

  test('RFC 9728 §5.1: reads where to begin from the 401 of a call, and the nonce of a proof (RFC 9449 §9)', async () => {
    const answer = await ask('/v1/prompts');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
    expectReadable(answer, 'www-authenticate', 'dpop-nonce', 'retry-after');
    expectReadable(await ask('/v1/no-such-thing'));
  });

  const form = (path: string, body: string, type = 'application/x-www-form-urlencoded') =>
    ask(path, { method: 'POST', body, headers: { 'Content-Type': type } });

  test.each<[string, number, () => Promise<Response>]>([
    ['a wrong grant type', 400, () => form('/oauth/token', 'grant_type=x')],
    ['a wrong client', 401, () => form('/oauth/token', 'grant_type=client_credentials&client_id=app_x')],
    ['what is no form', 400, () => form('/oauth/token', '{}', 'application/json')],
    ['what is no text', 400, () => form('/oauth/token', 'grant_type=%00')],
    ['a form that is too long', 413, () => form('/oauth/token', 'x'.repeat(100_000))],
    ['another method', 405, () => ask('/oauth/token')],
    ['another method at PAR', 405, () => ask('/oauth/par')],
    ['bad metadata', 400, () => form('/oauth/register', '{"redirect_uris":[]}', 'application/json')],
  ])('reads that %s is refused (%i)', async (_, status, send) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expectReadable(answer, 'www-authenticate');
  });

  test('gets nothing out of the pages, where cookies are read', async () => {
    for (const path of [
      '/login',
      '/oauth/authorize',
      '/account',
      '/console',
      '/oauth/device',
      '/oauth/logout',
    ]) {
      expect((await ask(path, { redirect: 'manual' })).headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
