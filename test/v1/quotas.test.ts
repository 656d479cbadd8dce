import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { callApi, ownToken } from '../support/api.ts';
import { freshDataDir, freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { withDatabase } from '../support/prepare.ts';
import { type Site, startSite } from '../support/site.ts';

const MOST = 100;
const ROOM = 20;

/** On PostgreSQL, where statements really run at once: the embedded database takes them one after the other. */
describeWith('postgresql', 'Quotas, under 50 creates at once', () => {
  let site: Site;
  let env: Record<string, string>;
  let drop: () => Promise<void>;
  let admin: string;

  beforeAll(async () => {
    const database = await freshPostgres();
    drop = database.drop;
    env = {
      DATABASE_URL: database.databaseUrl,
      DATA_DIR: freshDataDir().dataDir,
      SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
      DATABASE_POOL_SIZE: '25',
    };
    site = await startSite(env);
    admin = await ownToken(site, site.made.apps.service, ALL_SCOPES.join(' '));
  }, 60_000);

  afterAll(async () => {
    await site.stop();
    await drop();
  });

  const createAtOnce = async (path: string, body: object): Promise<Record<number, number>> => {
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await callApi(site, admin, 'POST', path, body)).status),
    );
    return {
      201: statuses.filter((status) => status === 201).length,
      409: statuses.filter((status) => status === 409).length,
    };
  };

  test(`of API keys: exactly ${MOST} are usable`, async () => {
    await withDatabase(env, async ({ createApiKey }) => {
      const { organization, user } = site.made;
      const key = {
        organizationId: organization.id,
        name: 'k',
        environment: 'live' as const,
        scopes: [],
        createdBy: user.id,
      };
      for (let made = 2; made < MOST - ROOM; made++) await createApiKey(key, { actor: { type: 'operator' } });
    });
    const key = { name: 'k', environment: 'live', scopes: ['prompts:read'] };
    expect(await createAtOnce('/v1/api-keys', key)).toEqual({ 201: ROOM, 409: 50 - ROOM });
  }, 60_000);

  test(`of apps: exactly ${MOST}`, async () => {
    await withDatabase(env, async ({ database }) => {
      const { id } = site.made.organization;
      await database.sql().raw(
        `INSERT INTO apps (id, organization_id, name, kind, environment, scopes)
         SELECT 'app_' || lpad(n::text, 26, '0'), ?, 'a', 'service', 'live', '{}' FROM generate_series(4, ?) AS n`,
        [id, MOST - ROOM],
      );
    });
    const app = { name: 'a', kind: 'service', environment: 'live', scopes: ['prompts:read'] };
    expect(await createAtOnce('/v1/apps', app)).toEqual({ 201: ROOM, 409: 50 - ROOM });
  }, 60_000);
});
