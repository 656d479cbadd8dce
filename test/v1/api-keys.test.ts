import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { callApi, ownToken } from '../support/api.ts';
import { type Site, startSite } from '../support/site.ts';

type Key = {
  id: string;
  key: string;
  status: string;
  scopes: string[];
  last4: string;
  prefix: string;
  rotatedFrom: string | null;
  lastUsedAt: string | null;
  lastUsedIp: string | null;
  expiresAt: string | null;
};

describe('API keys over /v1', () => {
  let site: Site;
  let admin: string;

  const call = <T = Key & { code: string; requiredScopes: string[]; errors: { path: string }[] }>(
    method: string,
    path: string,
    credential: string,
    body?: object,
  ) => callApi<T>(site, credential, method, path, body);

  const tokenFor = (scope: string) => ownToken(site, site.made.apps.service, scope);

  const create = (fields: object = {}, credential = admin) =>
    call('POST', '/v1/api-keys', credential, {
      name: 'A key',
      environment: 'live',
      scopes: ['prompts:read'],
      ...fields,
    });

  beforeAll(async () => {
    site = await startSite();
    admin = await tokenFor(ALL_SCOPES.join(' '));
  }, 60_000);

  afterAll(() => site.stop());

  test('a key is shown once, at creation, in the documented form', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(body.key).toMatch(/^pr_live_[0-9A-Za-z]{36}$/);
    expect(body).toMatchObject({
      prefix: 'pr_live_',
      last4: body.key.slice(-4),
      status: 'active',
      lastUsedAt: null,
    });
    const read = await call('GET', `/v1/api-keys/${body.id}`, admin);
    expect(read.status).toBe(200);
    expect(JSON.stringify(read.body)).not.toContain(body.key);
    expect(read.body.key).toBeUndefined();
  });

  test('a key cannot create a key', async () => {
    const { status, body } = await create({}, site.made.apiKeys.live);
    expect(status).toBe(403);
    expect(body.code).toBe('forbidden');
  });

  test('a key cannot change, rotate or revoke another, though it holds organization:admin', async () => {
    const { body: other } = await create();
    const { live } = site.made.apiKeys;
    expect((await call('PATCH', `/v1/api-keys/${other.id}`, live, { name: 'x' })).status).toBe(403);
    expect((await call('POST', `/v1/api-keys/${other.id}/rotate`, live, {})).status).toBe(403);
    expect((await call('DELETE', `/v1/api-keys/${other.id}`, live)).status).toBe(403);
    expect((await call('GET', '/v1/me', other.key)).status).toBe(200);
  });

  test('a key without any organization scope may read, rotate and revoke itself', async () => {
    const { body: key } = await create();
    expect((await call('GET', `/v1/api-keys/${key.id}`, key.key)).status).toBe(200);
    expect((await call('GET', '/v1/api-keys', key.key)).status).toBe(403);
    expect((await call('PATCH', `/v1/api-keys/${key.id}`, key.key, { scopes: [...ALL_SCOPES] })).status).toBe(
      403,
    );
    const rotated = await call('POST', `/v1/api-keys/${key.id}/rotate`, key.key);
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ rotatedFrom: key.id, scopes: ['prompts:read'] });
    expect((await call('DELETE', `/v1/api-keys/${rotated.body.id}`, rotated.body.key)).status).toBe(204);
    expect(await call('GET', '/v1/me', rotated.body.key)).toMatchObject({
      status: 401,
      body: { code: 'credential_revoked' },
    });
  });

  test('a key cannot be granted a scope its creator lacks, at creation, by a change, or by rotation', async () => {
    const limited = await tokenFor('organization:admin organization:read prompts:read');
    expect(await create({ scopes: ['prompts:read', 'reports:write'] }, limited)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope', requiredScopes: ['reports:write'] },
    });
    const { body: narrow } = await create({}, limited);
    expect(
      (await call('PATCH', `/v1/api-keys/${narrow.id}`, limited, { scopes: ['reports:read'] })).status,
    ).toBe(403);
    const { body: wide } = await create({ scopes: ['prompts:read', 'reports:write'] });
    expect((await call('POST', `/v1/api-keys/${wide.id}/rotate`, limited, {})).status).toBe(403);
  });

  test('a key cannot get round that by an app: it gives no app organization:admin, nor a secret of one that has it', async () => {
    const { live } = site.made.apiKeys;
    const app = { name: 'A service', kind: 'service', environment: 'live' };
    const lacking = {
      status: 403,
      body: { code: 'insufficient_scope', requiredScopes: ['organization:admin'] },
    };
    const scopes = ['prompts:read', 'organization:admin'];
    expect(await call('POST', '/v1/apps', live, { ...app, scopes })).toMatchObject(lacking);
    const { service } = site.made.apps; // it has every scope
    expect(await call('POST', `/v1/apps/${service.clientId}/secrets`, live)).toMatchObject(lacking);

    const harmless = await call('POST', '/v1/apps', live, { ...app, scopes: ['prompts:read'] });
    expect(harmless.status).toBe(201);
    expect(await call('PATCH', `/v1/apps/${harmless.body.id}`, live, { scopes })).toMatchObject(lacking);
    expect((await call('POST', '/v1/apps', admin, { ...app, scopes })).status).toBe(201);
  });

  test('body members cannot widen: organizationId, userId, createdBy and id are unknown', async () => {
    const { status, body } = await create({ organizationId: 'org_x', userId: 'usr_x', createdBy: 'usr_x' });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }) => path).sort()).toEqual(['createdBy', 'organizationId', 'userId']);
  });

  test('rotation: the old key works during the grace, is "expiring", and with grace 0 is refused at once', async () => {
    const { body: first } = await create();
    const { body: second } = await call('POST', `/v1/api-keys/${first.id}/rotate`, admin, {
      gracePeriodSeconds: 3600,
    });
    expect((await call('GET', '/v1/me', first.key)).status).toBe(200);
    expect((await call('GET', '/v1/me', second.key)).status).toBe(200);
    expect((await call('GET', `/v1/api-keys/${first.id}`, admin)).body.status).toBe('expiring');
    expect((await call('POST', `/v1/api-keys/${first.id}/rotate`, admin, {})).status).toBe(409);

    const { body: third } = await call('POST', `/v1/api-keys/${second.id}/rotate`, admin, {
      gracePeriodSeconds: 0,
    });
    expect(await call('GET', '/v1/me', second.key)).toMatchObject({
      status: 401,
      body: { code: 'credential_expired' },
    });
    expect((await call('GET', '/v1/me', third.key)).status).toBe(200);
  });

  test('an expiry that passes is kept to the moment, though the key is remembered', async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { body: key } = await create({ expiresAt });
    expect((await call('GET', '/v1/me', key.key)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    expect(await call('GET', '/v1/me', key.key)).toMatchObject({
      status: 401,
      body: { code: 'credential_expired' },
    });
  });

  test('an allowlist is kept, for IPv4, IPv6, ranges and mapped addresses, whatever X-Forwarded-For says', async () => {
    const { body: elsewhere } = await create({ ipAllowlist: ['10.0.0.0/8', '2001:db8::/32'] });
    const refused = await fetch(new URL('/v1/me', site.server.url), {
      headers: { Authorization: `Bearer ${elsewhere.key}`, 'X-Forwarded-For': '10.1.2.3' },
    });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'ip_not_allowed' });
    const { body: here } = await create({ ipAllowlist: ['127.0.0.0/8', '::1'] });
    expect((await call('GET', '/v1/me', here.key)).status).toBe(200);
    for (const bad of ['10.0.0.0/33', '10.0.0', 'example.com', '10.0.0.1/8/8', '::ffff:10.0.0.1%1']) {
      expect((await create({ ipAllowlist: [bad] })).status).toBe(422);
    }
  });

  test('last use is written in batches: it shows within seconds, with the address', async () => {
    const { body: key } = await create();
    await call('GET', '/v1/me', key.key);
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    const { body } = await call('GET', `/v1/api-keys/${key.id}`, admin);
    expect(body.lastUsedIp).toBe('127.0.0.1');
    expect(Date.now() - Date.parse(body.lastUsedAt ?? '')).toBeLessThan(20_000);
  });

  test('a sandbox key makes and sees no production key, and the organization of another does not exist', async () => {
    const list = await call<{ data: { environment: string }[] }>(
      'GET',
      '/v1/api-keys?limit=100',
      site.made.apiKeys.test,
    );
    expect(list.status).toBe(200);
    expect(list.body.data.every(({ environment }) => environment === 'test')).toBe(true);
    const { body: live } = await create();
    expect((await call('GET', `/v1/api-keys/${live.id}`, site.made.apiKeys.test)).status).toBe(404);
  });

  test('the list is of usable keys alone, or of those that have ended', async () => {
    const [{ body: kept }, { body: gone }] = [await create(), await create()];
    await call('DELETE', `/v1/api-keys/${gone.id}`, admin);
    const idsOf = async (usable: string) =>
      (
        await call<{ data: { id: string }[] }>('GET', `/v1/api-keys?limit=100&usable=${usable}`, admin)
      ).body.data.map(({ id }) => id);
    expect(await idsOf('true')).toEqual(expect.arrayContaining([kept.id]));
    expect(await idsOf('true')).not.toContain(gone.id);
    expect(await idsOf('false')).toEqual(expect.arrayContaining([gone.id]));
    expect(await idsOf('false')).not.toContain(kept.id);
    expect((await call('GET', '/v1/api-keys?usable=1', admin)).status).toBe(422);
  });

  test('the quota of keys is exact under 50 concurrent creates', async () => {
    const { data } = (await call<{ data: Key[] }>('GET', '/v1/api-keys?limit=100', admin)).body;
    const usable = data.filter(({ status }) => status === 'active' || status === 'expiring').length;
    for (let made = usable; made < 80; made++) await create();
    const answers = await Promise.all(Array.from({ length: 50 }, () => create()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(30);
  }, 60_000);
});
