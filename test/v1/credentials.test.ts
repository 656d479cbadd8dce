import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { issueKey } from '../../src/api-keys/api-key.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { type Api, startApi } from './support.ts';

describeEachDatabase('API keys at /v1/me', (open) => {
  let database: Database;
  let api: Api;
  let organization: string;
  let owner: string;

  beforeAll(async () => {
    database = await open();
    api = await startApi(database);
    organization = await api.newOrganization();
    owner = await api.newMember(organization, 'owner');
  });
  afterAll(async () => {
    await api.close();
    await database.close();
  });

  const me = (key: string) => api.as(key)('GET', '/v1/me');
  const set = (id: string, columns: object) => database.sql()('api_keys').where({ id }).update(columns);

  test('say whom they prove', async () => {
    const { id, key } = await api.newKey(organization, owner, 'test', ['prompts:write', 'prompts:read']);
    const { status, json } = await me(key);
    expect([status, json]).toEqual([
      200,
      {
        object: 'principal',
        method: 'api_key',
        id,
        organizationId: organization,
        userId: null,
        clientId: null,
        environment: 'test',
        scopes: ['prompts:read', 'prompts:write'],
      },
    ]);
  });

  test('need no scope at all to ask who they are', async () => {
    const { key } = await api.newKey(organization, owner, 'live', []);
    expect((await me(key)).json['scopes']).toEqual([]);
  });

  test('that nobody issued, or with one character changed, are invalid_credential', async () => {
    const { key } = await api.newKey(organization, owner, 'live');
    for (const wrong of [
      issueKey('live').reveal(),
      key.replace('pr_live_', 'pr_test_'),
      `${key.slice(0, -1)}-`,
      key.toLowerCase(),
    ]) {
      const { status, json } = await me(wrong);
      expect([status, json['code']]).toEqual([401, 'invalid_credential']);
    }
  });

  test('that were revoked or have expired say so to who holds the real key', async () => {
    const { id, key } = await api.newKey(organization, owner, 'live');
    await set(id, { expires_at: database.sql().raw("now() - interval '1 second'") });
    expect((await me(key)).json['code']).toBe('credential_expired');
    await set(id, { expires_at: database.sql().raw("now() + interval '1 minute'") });
    expect((await me(key)).status).toBe(200);
    await set(id, { revoked_at: database.sql().fn.now() });
    expect((await me(key)).json['code']).toBe('credential_revoked');
  });

  test('end with what their creator was: role, membership, account', async () => {
    const member = await api.newMember(organization, 'member');
    const { key } = await api.newKey(organization, member, 'live');
    expect((await me(key)).json['scopes']).not.toContain('organization:admin');

    const membership = { user_id: member, organization_id: organization };
    await database.sql()('memberships').where(membership).update({ role: 'viewer' });
    expect((await me(key)).json['scopes']).toEqual([
      'prompts:read',
      'reports:read',
      'evaluations:read',
      'webhooks:read',
      'organization:read',
    ]);

    await database.sql()('users').where({ id: member }).update({ deactivated_at: database.sql().fn.now() });
    expect((await me(key)).json['code']).toBe('credential_revoked');
    await database.sql()('users').where({ id: member }).update({ deactivated_at: null });
    expect((await me(key)).status).toBe(200);

    await database.sql()('memberships').where(membership).delete();
    expect((await me(key)).json['code']).toBe('credential_revoked');
    await database.sql()('users').where({ id: member }).delete();
    expect((await me(key)).json['code']).toBe('credential_revoked');
  });

  test('stand nowhere in the clear: not in the database, not in the log', async () => {
    const { key } = await api.newKey(organization, owner, 'live');
    await me(key);
    const tables = await Promise.all(
      ['api_keys', 'audit_events'].map((table) => database.sql()(table).select('*')),
    );
    const secret = key.slice('pr_live_'.length, -6);
    expect(JSON.stringify(tables)).not.toContain(secret);
    expect(api.log()).not.toContain(secret);
  });
});
