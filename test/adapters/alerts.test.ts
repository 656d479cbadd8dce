import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAlertReads } from '../../adapters/database/alert-reads.ts';
import { createAlertStore } from '../../adapters/database/alerts.ts';
import { createApiKeyStore } from '../../adapters/database/api-keys.ts';
import type { Database } from '../../adapters/database/database.ts';
import type { AlertKind, NewAlert } from '../../src/alerts/alert.ts';
import { createRaise } from '../../src/alerts/raise.ts';
import { createWatch } from '../../src/alerts/watch.ts';
import { makeApiKey } from '../../src/api-keys/create.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { TellableEvent } from '../../src/webhooks/event.ts';
import { describeEachDatabase } from '../support/each-database.ts';

const NOW = new Date('2026-01-20T10:30:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const logger = createLogger('silent');

describeEachDatabase('Alerts', (open) => {
  let database: Database;
  let alerts: ReturnType<typeof createAlertStore>;
  let told: TellableEvent[] = [];

  beforeAll(async () => {
    database = await open();
    alerts = createAlertStore(database);
  }, 60_000);
  afterAll(() => database.close());

  const raise = (alert: NewAlert) =>
    createRaise({
      alerts,
      publish: async (event) => void told.push(event),
      transaction: database.transaction,
      clock: () => NOW,
    })(alert);
  /** Looks as a process of its own does. */
  const look = async () => {
    await createWatch({ reads: createAlertReads(database), raise, clock: () => NOW, logger })();
  };

  const newOrganization = async (plan = 'free') => {
    const id = newId('org');
    await database.sql()('organizations').insert({ id, name: 'Test', plan });
    return id;
  };
  const newKey = async (organizationId: string, fields: { createdAt?: Date; expiresAt?: Date } = {}) => {
    const { apiKey, hash } = makeApiKey(
      { organizationId, name: 'Deploy', environment: 'live', scopes: [], ...fields },
      fields.createdAt ?? new Date('2025-06-01T00:00:00Z'),
    );
    await createApiKeyStore(database).insert(apiKey, hash);
    return apiKey.id;
  };
  const used = async (
    organizationId: string,
    credential: string,
    hoursAgo: number,
    counts: { requests: number; status?: number; allowed?: number; route?: string },
  ) => {
    const hour = new Date(Math.floor(NOW.getTime() / HOUR_MS - hoursAgo) * HOUR_MS);
    await database
      .sql()('usage_hours')
      .insert({
        organization_id: organizationId,
        environment: 'live',
        hour,
        method: 'api_key',
        credential,
        route: counts.route ?? 'GET /v1/prompts',
        status: counts.status ?? 200,
        scope: 'prompts:read',
        requests: counts.requests,
        allowed: counts.allowed ?? 0,
        refused: 0,
      });
  };
  const seen = async (organizationId: string, credential: string, network: string, at: Date) => {
    await database
      .sql()('credential_networks')
      .insert({
        organization_id: organizationId,
        environment: 'live',
        credential,
        day: at.toISOString().slice(0, 10),
        network,
        first_seen_at: at,
        last_seen_at: at,
      });
  };
  const alertsOf = async (organizationId: string) => {
    const visible = { organizationId, environments: ['live', 'test'] as const };
    return alerts.list(visible, { limit: 100, after: undefined });
  };
  const lookAgain = async (): Promise<void> => {
    told = [];
    await Promise.all([look(), look(), look()]);
    await look();
  };

  test('a burst is told once, by however many processes, with the credential’s name', async () => {
    const organizationId = await newOrganization();
    const key = await newKey(organizationId);
    for (let ago = 2; ago < 60; ago++) await used(organizationId, key, ago, { requests: 30 });
    await used(organizationId, key, 0, { requests: 1_500 });
    await used(organizationId, key, 0, { requests: 1_500, route: 'GET /v1/reports' });
    const neighbour = await newOrganization();
    await used(neighbour, key, 0, { requests: 30 });

    await lookAgain();
    expect(await alertsOf(organizationId)).toMatchObject([
      {
        kind: 'burst',
        subject: key,
        subjectName: 'Deploy',
        period: '2026-01-20',
        data: { hour: '2026-01-20T10:00:00.000Z', requests: 3_000, usualRequests: 30 },
      },
    ]);
    expect(await alertsOf(neighbour)).toEqual([]);
    expect(told).toEqual([
      {
        type: 'api_key.unusual_activity',
        organizationId,
        environment: 'live',
        data: {
          object: 'api_key',
          id: key,
          organizationId,
          environment: 'live',
          rule: 'burst',
          credential: key,
          hour: '2026-01-20T10:00:00.000Z',
          requests: 3_000,
          usualRequests: 30,
        },
      },
    ]);
  });

  test('a run of refusals is told, of 403 and 429 and nothing else', async () => {
    const organizationId = await newOrganization();
    const key = await newKey(organizationId);
    await used(organizationId, key, 0, { requests: 30, status: 403 });
    await used(organizationId, key, 0, { requests: 25, status: 429 });
    await used(organizationId, key, 0, { requests: 40 });
    const fine = await newKey(organizationId);
    await used(organizationId, fine, 0, { requests: 400, status: 404 });
    await lookAgain();
    expect(await alertsOf(organizationId)).toMatchObject([
      { kind: 'refusals', subject: key, data: { requests: 95, refused: 55 } },
    ]);
  });

  test('a new network and a waking after 90 days are told; daily use is not', async () => {
    const organizationId = await newOrganization();
    const at = (daysAgo: number) => new Date(NOW.getTime() - daysAgo * DAY_MS - 1_000);
    const stolen = await newKey(organizationId);
    for (let day = 0; day < 20; day++) await seen(organizationId, stolen, '192.0.2.1', at(day));
    await seen(organizationId, stolen, '203.0.113.9', at(0));
    const sleeper = await newKey(organizationId);
    await seen(organizationId, sleeper, '192.0.2.1', at(100));
    await seen(organizationId, sleeper, '192.0.2.1', at(0));
    const daily = await newKey(organizationId);
    for (let day = 0; day < 20; day++) await seen(organizationId, daily, '192.0.2.1', at(day));
    await lookAgain();
    expect((await alertsOf(organizationId)).sort((a, b) => (a.kind < b.kind ? -1 : 1))).toMatchObject([
      { kind: 'new_network', subject: stolen, data: { networks: ['203.0.113.9'] } },
      { kind: 'slept', subject: sleeper, data: { days: 100 } },
    ]);
  });

  test('keys that expire are told of; those that are revoked or replaced are not', async () => {
    const organizationId = await newOrganization();
    const expiresAt = new Date(NOW.getTime() + 6 * DAY_MS);
    const key = await newKey(organizationId, { expiresAt });
    const store = createApiKeyStore(database);
    await store.revoke(await newKey(organizationId, { expiresAt }));
    const replaced = await newKey(organizationId, { expiresAt });
    await database.sql()('api_keys').where({ id: replaced }).update({ replaced_at: NOW });
    await newKey(organizationId, { expiresAt: new Date(NOW.getTime() + 40 * DAY_MS) });
    await lookAgain();
    expect(await alertsOf(organizationId)).toMatchObject([
      { kind: 'expiring', subject: key, data: { daysLeft: 7, expiresAt: expiresAt.toISOString() } },
    ]);
    expect(told).toMatchObject([
      { type: 'api_key.expiring', data: { object: 'api_key', id: key, daysLeft: 7 } },
    ]);
  });

  test('80 % of the day is told, by the plan and by the organization’s own figures', async () => {
    const free = await newOrganization();
    await used(free, 'key_a', 0, { requests: 500, allowed: 500 });
    await used(free, 'key_b', 9, { requests: 400, allowed: 320 });
    await used(free, 'key_b', 11, { requests: 900, allowed: 900 }); // yesterday
    const pro = await newOrganization('pro');
    await used(pro, 'key_a', 0, { requests: 900, allowed: 900 });
    await lookAgain();
    expect(await alertsOf(free)).toMatchObject([
      { kind: 'limit', subject: 'api_key', data: { percent: 80, limit: 1_000, used: 820 } },
    ]);
    expect(await alertsOf(pro)).toEqual([]);
    expect(told).toMatchObject([{ type: 'limit.warning', data: { object: 'limit', percent: 80 } }]);

    await database.sql()('organizations').where({ id: pro }).update({ limit_per_day: 900 });
    await lookAgain();
    expect(await alertsOf(pro)).toMatchObject([{ data: { percent: 100, limit: 900, used: 900 } }]);
  });

  test('however much one organization does, what is told of another is not hidden by it', async () => {
    // By their ids one comes before all the others, and one after them.
    const [first, loud, last] = [await newOrganization(), await newOrganization(), await newOrganization()];
    for (const { id, credentials, requests } of [
      { id: first, credentials: 1, requests: 50 },
      { id: loud, credentials: 1_200, requests: 5_000 },
      { id: last, credentials: 1, requests: 50 },
    ]) {
      const bindings = { id, credentials, requests, now: NOW.toISOString() };
      await database.sql().raw(
        `INSERT INTO usage_hours (organization_id, environment, hour, method, credential, route, status, scope,
           requests, allowed, refused)
         SELECT :id, 'live', hour, 'api_key', 'key_' || n, 'GET /v1/prompts', 403, 'prompts:read', :requests, 0, 0
         FROM generate_series(1, :credentials::integer) AS n, unnest(ARRAY[
           date_trunc('hour', :now::timestamptz), date_trunc('hour', :now::timestamptz) - interval '1 hour']) AS hour`,
        bindings,
      );
      await database.sql().raw(
        `INSERT INTO credential_networks (organization_id, environment, credential, day, network, first_seen_at, last_seen_at)
         SELECT :id, 'live', key.id, (:now::timestamptz)::date, '192.0.2.1', :now::timestamptz, :now::timestamptz
         FROM (SELECT 'key_' || :id || n AS id FROM generate_series(1, :credentials::integer) AS n) AS key`,
        bindings,
      );
      await database.sql().raw(
        `INSERT INTO api_keys (id, organization_id, name, environment, scopes, key_hash, last4, created_at, expires_at)
         SELECT 'key_' || :id || n, :id, 'Many', 'live', '{}', sha256(convert_to(:id || n, 'UTF8')), 'abcd',
           '2025-06-01T00:00:00Z', :now::timestamptz + interval '6 days'
         FROM generate_series(1, :credentials::integer) AS n`,
        bindings,
      );
    }
    const reads = createAlertReads(database);
    const hourAgo = new Date(NOW.getTime() - HOUR_MS);
    const readsOf: Record<string, AsyncIterable<{ organizationId: string }>> = {
      activity: reads.activity(hourAgo, { requests: 500, refused: 50 }),
      networks: reads.networks(hourAgo, 90),
      expiringKeys: reads.expiringKeys(NOW, new Date(NOW.getTime() + 30 * DAY_MS)),
    };
    const counts: Record<string, number[]> = {};
    for (const [name, rows] of Object.entries(readsOf)) {
      const found: string[] = [];
      for await (const { organizationId } of rows) found.push(organizationId);
      counts[name] = [first, loud, last].map((id) => found.filter((one) => one === id).length);
    }
    expect(counts).toEqual({ activity: [2, 2_400, 2], networks: [1, 1_200, 1], expiringKeys: [1, 1_200, 1] });
    for (const table of ['usage_hours', 'credential_networks', 'api_keys']) {
      await database.sql()(table).whereIn('organization_id', [first, loud, last]).delete();
    }
  });

  test('what was used in the last minutes of a day is told of after midnight, as of that day', async () => {
    const organizationId = await newOrganization();
    await used(organizationId, 'key_a', 0, { requests: 820, allowed: 820 }); // from 10:00 on the 20th
    const midnight = createWatch({
      reads: createAlertReads(database),
      raise,
      clock: () => new Date('2026-01-21T00:00:20Z'),
      logger,
    });
    await database
      .sql()('usage_hours')
      .where({ organization_id: organizationId })
      .update({ hour: new Date('2026-01-20T23:00:00Z') });
    await midnight();
    await midnight();
    expect(await alertsOf(organizationId)).toMatchObject([
      { kind: 'limit', period: '2026-01-20/80', data: { day: '2026-01-20', used: 820 } },
    ]);
  });

  describe('Kept', () => {
    const alert = (organizationId: string, more: Partial<NewAlert> = {}) =>
      ({
        kind: 'slept' as AlertKind,
        organizationId,
        environment: 'live',
        subject: 'key_1',
        period: '2026-01-20',
        data: { lastUsedAt: null, days: 100 },
        ...more,
      }) as NewAlert;

    test('a sandbox credential lists the sandbox’s alone, newest first, a page at a time', async () => {
      const organizationId = await newOrganization();
      for (const period of ['1', '2', '3']) await raise(alert(organizationId, { period }));
      await raise(alert(organizationId, { environment: 'test' }));
      const page = { limit: 2, after: undefined };
      const sandbox = await alerts.list({ organizationId, environments: ['test'] }, page);
      expect(sandbox).toMatchObject([{ environment: 'test' }]);
      const first = await alerts.list({ organizationId, environments: ['live'] }, page);
      expect(first).toHaveLength(2);
      const rest = await alerts.list(
        { organizationId, environments: ['live'] },
        { limit: 2, after: first[1]?.id },
      );
      expect(rest).toHaveLength(1);
    });

    test('of an organization that is gone nothing is kept, and nothing fails', async () => {
      told = [];
      await raise(alert(newId('org')));
      expect(told).toEqual([]);
    });
  });
});
