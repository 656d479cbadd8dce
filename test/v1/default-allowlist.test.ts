import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { callApi, ownToken } from '../support/api.ts';
import { type Site, startSite } from '../support/site.ts';

type Body = { id: string; key: string; ipAllowlist: string[]; code: string; [member: string]: unknown };

/** Every call comes from 127.0.0.1; 192.0.2.0/24 is elsewhere. */
describe("The organization's allowlist over /v1", () => {
  let site: Site;
  let admin: string;

  const call = (method: string, path: string, credential: string, body?: object) =>
    callApi<Body>(site, credential, method, path, body);
  const setDefault = (ipAllowlist: string[], credential = admin) =>
    call('PATCH', '/v1/organization', credential, { ipAllowlist });
  const newKey = async (fields: object = {}) =>
    (
      await call('POST', '/v1/api-keys', admin, {
        name: 'A key',
        environment: 'live',
        scopes: ['organization:read', 'organization:admin'],
        ...fields,
      })
    ).body;
  const statusOf = async (credential: string) => (await call('GET', '/v1/me', credential)).status;

  beforeAll(async () => {
    site = await startSite();
    admin = await ownToken(site, site.made.apps.service, ALL_SCOPES.join(' '));
  }, 60_000);
  afterAll(() => site.stop());

  test('holds for keys without a list of their own, in both environments, and for nothing else', async () => {
    const bare = await newKey();
    const sandbox = await newKey({ environment: 'test' });
    const own = await newKey({ ipAllowlist: ['127.0.0.0/8'] });
    expect([await statusOf(bare.key), await statusOf(sandbox.key)]).toEqual([200, 200]);
    expect(await setDefault(['192.0.2.0/24'])).toMatchObject({
      status: 200,
      body: { ipAllowlist: ['192.0.2.0/24'] },
    });
    const refused = await call('GET', '/v1/me', bare.key);
    expect([refused.status, refused.body.code]).toEqual([403, 'ip_not_allowed']);
    expect(await statusOf(sandbox.key)).toBe(403);
    expect(await statusOf(own.key)).toBe(200);
    expect(await statusOf(admin)).toBe(200);
    const unknown = await call(
      'GET',
      '/v1/me',
      `${bare.key.slice(0, -1)}${bare.key.endsWith('0') ? '1' : '0'}`,
    );
    expect(unknown.status).toBe(401);

    const { body } = await call('PATCH', `/v1/api-keys/${own.id}`, admin, { ipAllowlist: [] });
    expect(body.ipAllowlist).toEqual([]);
    expect(await statusOf(own.key)).toBe(403);

    await setDefault(['192.0.2.0/24', '127.0.0.1']);
    expect([await statusOf(bare.key), await statusOf(sandbox.key)]).toEqual([200, 200]);
    await setDefault([]);
    expect((await call('GET', '/v1/organization', bare.key)).body.ipAllowlist).toEqual([]);
  });

  test('is not copied into a key by rotating it', async () => {
    const old = await newKey();
    await setDefault(['127.0.0.1']);
    const { body } = await call('POST', `/v1/api-keys/${old.id}/rotate`, old.key);
    expect(body.ipAllowlist).toEqual([]);
    await setDefault([]);
  });

  test('is told to those who introspect a key, and have to hold its callers to it', async () => {
    const { clientId, clientSecret } = site.made.apps.web;
    const introspect = async ({ key }: Body) => {
      const response = await fetch(new URL('/oauth/introspect', site.server.url), {
        method: 'POST',
        body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token: key }),
      });
      return (await response.json()) as Record<string, unknown>;
    };
    const [bare, own] = [await newKey(), await newKey({ ipAllowlist: ['198.51.100.0/24'] })];
    expect(await introspect(bare)).not.toHaveProperty('ip_allowlist');
    await setDefault(['192.0.2.0/24']);
    expect(await introspect(bare)).toMatchObject({ active: true, ip_allowlist: ['192.0.2.0/24'] });
    expect(await introspect(own)).toMatchObject({ active: true, ip_allowlist: ['198.51.100.0/24'] });
    await setDefault([]);
  });

  test('is judged as the list of a key is, with the path of each fault', async () => {
    for (const bad of ['10.0.0.0/33', '10.0.0', 'example.com', '10.0.0.1/8/8', '::ffff:10.0.0.1%1']) {
      expect(await setDefault(['192.0.2.1', bad])).toMatchObject({
        status: 422,
        body: { errors: [{ path: 'ipAllowlist.1' }] },
      });
    }
    expect((await setDefault(Array.from({ length: 101 }, (_, i) => `192.0.2.${i}`))).status).toBe(422);
  });

  test('can not be set by a key without the address that it calls from, nor without organization:admin', async () => {
    const key = await newKey();
    expect(await setDefault(['192.0.2.0/24'], key.key)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'ipAllowlist', message: expect.stringContaining('127.0.0.1') }] },
    });
    expect((await setDefault(['127.0.0.0/8'], key.key)).status).toBe(200);
    expect((await setDefault([], key.key)).status).toBe(200);
    const reader = await newKey({ scopes: ['organization:read'] });
    expect((await setDefault([], reader.key)).status).toBe(403);
    expect((await setDefault([], site.made.apiKeys.test)).status).toBe(403);
  });

  test('and who changed it to what, in the audit log', async () => {
    await setDefault(['192.0.2.7']);
    await setDefault([]);
    const { body } = await call('GET', '/v1/organization/audit-log?type=organization.updated&limit=2', admin);
    expect(body['data']).toMatchObject([
      { data: { fields: ['ipAllowlist'], ipAllowlist: [] } },
      { data: { fields: ['ipAllowlist'], ipAllowlist: ['192.0.2.7'] }, actor: { type: 'app' } },
    ]);
  });
});
