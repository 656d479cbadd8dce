import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createStandings } from '../../adapters/database/standings.ts';
import type { Standings } from '../../src/principals/standing.ts';
import { describeEachDatabase } from '../support/each-database.ts';

describeEachDatabase('what an access token rests on', (open) => {
  let database: Database;
  let standings: Standings;
  const token = { userId: 'usr_1', appId: 'app_1', organizationId: 'org_1', jti: 'jti-1', kid: 'kid-1' };
  const into = (table: string, row: object) => database.sql()(table).insert(row);

  beforeAll(async () => {
    database = await open();
    standings = createStandings(database);
  });
  afterAll(() => database.close());

  beforeEach(async () => {
    await database.sql()('organizations').delete();
    await database.sql()('users').delete();
    await database.sql()('revoked_access_tokens').delete();
    await database.sql()('signing_keys').delete();
    await into('signing_keys', {
      kid: 'kid-1',
      algorithm: 'RS256',
      status: 'current',
      public_jwk: '{}',
      sealed_private_jwk: Buffer.alloc(1),
    });
    // The app belongs to another organization than the one that allowed it to act.
    for (const id of ['org_1', 'org_2', 'org_app']) await into('organizations', { id, name: id });
    await into('users', { id: 'usr_1', email: 'a@example.com', name: 'A', password_hash: 'none' });
    await into('memberships', { organization_id: 'org_1', user_id: 'usr_1', role: 'member' });
    await into('memberships', { organization_id: 'org_2', user_id: 'usr_1', role: 'owner' });
    await into('apps', {
      id: 'app_1',
      organization_id: 'org_app',
      name: 'App',
      kind: 'web',
      environment: 'test',
      redirect_uris: ['https://app.example/cb'],
      scopes: ['prompts:read'],
    });
    await into('grants', {
      id: 'grant-1',
      user_id: 'usr_1',
      app_id: 'app_1',
      organization_id: 'org_1',
      payload: '{}',
      expires_at: new Date(Date.now() + 60_000),
    });
  });

  test('is read whole', async () => {
    await database.sql()('organizations').where({ id: 'org_1' }).update({ plan: 'pro', limit_per_second: 7 });
    await database.sql()('apps').update({ limit_per_minute: 3 });
    expect(await standings.ofUser(token)).toEqual({
      environment: 'test',
      appScopes: ['prompts:read'],
      userActive: true,
      role: 'member',
      grantId: 'grant-1',
      revoked: false,
      allowance: { plan: 'pro', own: { perSecond: 7 }, cap: { perMinute: 3 }, capId: 'app_1' },
    });
    expect(await standings.ofApp(token)).toEqual({
      environment: 'test',
      appScopes: ['prompts:read'],
      organizationId: 'org_app',
      revoked: false,
      allowance: { plan: 'free', own: {}, cap: { perMinute: 3 }, capId: 'app_1' },
    });
  });

  test('a grant counts in its own organization only', async () => {
    expect(await standings.ofUser({ ...token, organizationId: 'org_2' })).toMatchObject({
      role: 'owner',
      grantId: undefined,
    });
  });

  test('each part can go by itself', async () => {
    const { fn } = database.sql();
    await database.sql()('grants').update({ expires_at: fn.now() });
    expect(await standings.ofUser(token)).toMatchObject({ role: 'member', grantId: undefined });
    await database.sql()('memberships').where({ organization_id: 'org_1' }).delete();
    expect(await standings.ofUser(token)).toMatchObject({ userActive: true, role: undefined });
    await database.sql()('users').update({ deactivated_at: fn.now() });
    expect(await standings.ofUser(token)).toMatchObject({ userActive: false, role: undefined });
    await database.sql()('users').delete();
    expect(await standings.ofUser(token)).toMatchObject({ userActive: false });
    await database.sql()('apps').delete();
    expect(await standings.ofUser(token)).toBeUndefined();
    expect(await standings.ofApp(token)).toBeUndefined();
  });

  test('a token that was revoked, and all tokens of a key that was dropped, say so', async () => {
    await into('revoked_access_tokens', { jti: 'jti-1', expires_at: new Date(Date.now() + 60_000) });
    expect(await standings.ofUser(token)).toMatchObject({ revoked: true });
    expect(await standings.ofApp(token)).toMatchObject({ revoked: true });
    const other = { ...token, jti: 'jti-2' };
    expect(await standings.ofUser(other)).toMatchObject({ revoked: false });
    expect(await standings.ofApp(other)).toMatchObject({ revoked: false });
    await database.sql()('signing_keys').delete();
    expect(await standings.ofUser(other)).toMatchObject({ revoked: true });
    expect(await standings.ofApp(other)).toMatchObject({ revoked: true });
  });

  test('an id that is none finds nothing', async () => {
    expect(await standings.ofApp({ ...token, appId: "app_' OR '1'='1" })).toBeUndefined();
    expect(await standings.ofUser({ ...token, userId: 'usr_x' })).toMatchObject({ userActive: false });
  });
});
