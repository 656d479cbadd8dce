import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createUsageStore } from '../../adapters/database/usage.ts';
import { createUsageCleaning } from '../../adapters/database/usage-cleaning.ts';
import { createUsageReports } from '../../adapters/database/usage-reports.ts';
import type { Grouping, UsageReports } from '../../src/usage/report.ts';
import { createUsageSweep, type UsageCleaning } from '../../src/usage/sweep.ts';
import type { HourCount, UsageStore } from '../../src/usage/usage.ts';
import { openFreshPostgres } from '../support/databases.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { describeWith } from '../support/needs.ts';
import { batchOf, hourCount, minuteCount, networkUse, newOrganization } from '../usage/support.ts';

const hourOf = (text: string): Date => new Date(`${text}:00:00Z`);

describeEachDatabase('Reports of usage', (open) => {
  let database: Database;
  let usage: UsageStore;
  let reports: UsageReports;
  let cleaning: UsageCleaning;
  let organizationId: string;

  beforeAll(async () => {
    database = await open();
    usage = createUsageStore(database);
    reports = createUsageReports(database);
    cleaning = createUsageCleaning(database);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.sql()('usage_hours').delete(); // what is rolled up is everybody's
    organizationId = await newOrganization(database);
  });

  const add = (...hours: Partial<HourCount>[]) =>
    usage.add(batchOf({ hours: hours.map((fields) => hourCount({ organizationId, ...fields })) }));

  const sum = (groupBy: Grouping, fields: { from?: string; to?: string; most?: number } = {}) =>
    reports.sum(
      {
        organizationId,
        environment: 'live',
        from: hourOf(fields.from ?? '2026-03-01T00'),
        to: hourOf(fields.to ?? '2026-04-01T00'),
        groupBy,
      },
      fields.most ?? 1_000,
    );
  const requestsBy = async (groupBy: Grouping, fields = {}) =>
    (await sum(groupBy, fields)).map(({ group, requests }) => [group, requests]);

  describe('sum', () => {
    beforeEach(() =>
      add(
        { hour: hourOf('2026-03-09T23'), requests: 2, allowed: 2 },
        {
          hour: hourOf('2026-03-10T00'),
          requests: 3,
          allowed: 3,
          credential: 'usr_1:app_1',
          method: 'oauth_user',
        },
        { hour: hourOf('2026-03-10T00'), requests: 4, allowed: 0, refused: 4, status: 429 },
        {
          hour: hourOf('2026-03-10T01'),
          requests: 5,
          allowed: 5,
          status: 503,
          scope: 'reports:read',
          route: 'r',
        },
        { hour: hourOf('2026-03-10T01'), requests: 6, allowed: 6, status: 404, route: 'x' },
      ),
    );

    test('by each grouping: times in their order, all else by the most requests', async () => {
      expect(await sum('day')).toEqual([
        { group: '2026-03-09', requests: 2, refused: 0, clientErrors: 0, serverErrors: 0 },
        { group: '2026-03-10', requests: 18, refused: 4, clientErrors: 10, serverErrors: 5 },
      ]);
      expect(await requestsBy('hour')).toEqual([
        ['2026-03-09T23:00:00.000Z', 2],
        ['2026-03-10T00:00:00.000Z', 7],
        ['2026-03-10T01:00:00.000Z', 11],
      ]);
      expect(await requestsBy('credential')).toEqual([
        ['key_1', 17],
        ['usr_1:app_1', 3],
      ]);
      expect(await requestsBy('scope')).toEqual([
        ['prompts:read', 15],
        ['reports:read', 5],
      ]);
      expect(await requestsBy('status')).toEqual([
        ['404', 6],
        ['200', 5],
        ['503', 5],
        ['429', 4],
      ]);
    });

    test('from the first hour on, up to the last, which is no longer in it', async () => {
      const range = { from: '2026-03-10T00', to: '2026-03-10T01' };
      expect(await requestsBy('hour', range)).toEqual([['2026-03-10T00:00:00.000Z', 7]]);
    });

    test('at most as many groups as are wanted', async () => {
      expect(await requestsBy('status', { most: 2 })).toEqual([
        ['404', 6],
        ['200', 5],
      ]);
    });

    test('of nobody else, and of no other environment', async () => {
      const other = await newOrganization(database);
      await add({ environment: 'test', requests: 50 }, { organizationId: other, requests: 50 });
      expect(await requestsBy('day')).toEqual([
        ['2026-03-09', 2],
        ['2026-03-10', 18],
      ]);
    });
  });

  describe('once hours are rolled up', () => {
    const before = hourOf('2026-03-11T00');
    const someHours = () =>
      Array.from({ length: 72 }, (_, index) => ({
        hour: new Date(hourOf('2026-03-09T00').getTime() + index * 3_600_000),
        requests: index + 2,
        allowed: index,
        refused: 1,
        status: index % 3 === 0 ? 200 : 404,
        credential: `key_${index % 5}`,
      }));

    test('every sum over whole days stays the same, whoever rolls up, and however often', async () => {
      await add(...someHours());
      const groupings: Grouping[] = ['day', 'credential', 'scope', 'status'];
      const sums = await Promise.all(groupings.map((groupBy) => sum(groupBy)));
      const moved = await Promise.all(Array.from({ length: 4 }, () => cleaning.rollUp(before, 1_000)));
      expect(moved.reduce((a, b) => a + b)).toBe(48);
      expect(await Promise.all(groupings.map((groupBy) => sum(groupBy)))).toEqual(sums);
      await add(...someHours().slice(0, 24)); // late: from a process that couldn't write for days
      expect(await cleaning.rollUp(before, 1_000)).toBe(24);
      const [late] = await sum('day');
      expect(late?.requests).toBe(2 * (sums[0]?.[0]?.requests ?? 0));
      const left = await database.sql()('usage_hours').where({ organization_id: organizationId });
      expect(left).toHaveLength(24);
    });

    test('a day counts where its start lies in the range, as an hour that begins there', async () => {
      await add(...someHours());
      await cleaning.rollUp(before, 1_000);
      const byHour = await requestsBy('hour', { to: '2026-03-11T02' });
      expect(byHour.map(([group]) => group)).toEqual([
        '2026-03-09T00:00:00.000Z',
        '2026-03-10T00:00:00.000Z',
        '2026-03-11T00:00:00.000Z',
        '2026-03-11T01:00:00.000Z',
      ]);
      expect(await requestsBy('day', { from: '2026-03-09T01', to: '2026-03-10T01' })).toHaveLength(1);
    });

    test('in small steps, a reader meanwhile misses nothing and counts nothing twice', async () => {
      await add(...someHours());
      const total = async () => (await sum('day')).reduce((all, { requests }) => all + requests, 0);
      const expected = await total();
      let rolling = true;
      const roll = async () => {
        while ((await cleaning.rollUp(before, 5)) > 0);
        rolling = false;
      };
      const read = async () => {
        while (rolling) expect(await total()).toBe(expected);
      };
      await Promise.all([roll(), roll(), read()]);
      expect(await total()).toBe(expected);
    });
  });

  test('the sweep rolls up what is old, drops what is older, and leaves the rest', async () => {
    const now = new Date('2026-03-31T12:00:00Z');
    const daysAgo = (days: number, hour = '00') =>
      hourOf(`${new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10)}T${hour}`);
    const days = [0, 2, 3, 4, 9, 10, 11];
    await usage.add(
      batchOf({
        hours: days.map((day) => hourCount({ organizationId, hour: daysAgo(day, '23') })),
        minutes: days.map((day) => minuteCount({ organizationId, minute: daysAgo(day, '23') })),
        networks: [179, 181].map((day) =>
          networkUse({ organizationId, firstSeenAt: daysAgo(day), lastSeenAt: daysAgo(day) }),
        ),
      }),
    );
    const sweep = createUsageSweep({
      cleaning,
      retention: { hours: 3, days: 10, seconds: 2 },
      clock: () => now,
    });
    await Promise.all([sweep(), sweep()]);

    const countOf = async (table: string) =>
      Number((await database.sql()(table).where({ organization_id: organizationId }).count())[0]?.['count']);
    expect(await countOf('usage_hours')).toBe(3); // 0, 2 and 3 days old
    expect(await countOf('usage_days')).toBe(3); // 4, 9 and 10
    expect(await countOf('usage_minutes')).toBe(2); // 0 and 2
    expect(await countOf('credential_networks')).toBe(1);
  });

  test('the sweep forgets processes that have long written nothing, and no others', async () => {
    const batch = batchOf({ hours: [hourCount({ organizationId })] });
    await usage.add(batch);
    const written = () => database.sql()('usage_writers').where({ id: batch.writerId });
    await cleaning.dropWriters(new Date(Date.now() - 60_000), 1_000);
    expect(await written()).toHaveLength(1);
    await cleaning.dropWriters(new Date(Date.now() + 60_000), 1_000);
    expect(await written()).toHaveLength(0);
  });
});

/** Runs work as if it were called from here, where no transaction is open. */
const outsideTransactions = AsyncLocalStorage.snapshot();

describeWith('postgresql', 'Rolling up on PostgreSQL', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openFreshPostgres();
  });
  afterAll(() => database.close());

  test('leaves alone, and does not wait for, what another process has in hand', async () => {
    const organizationId = await newOrganization(database);
    await createUsageStore(database).add(
      batchOf({
        hours: ['key_1', 'key_2'].map((credential) => hourCount({ organizationId, credential })),
      }),
    );
    const { rollUp } = createUsageCleaning(database);
    const before = new Date('2026-03-11T00:00:00Z');
    await database.transaction(async () => {
      await database.sql()('usage_hours').where({ credential: 'key_1' }).forUpdate();
      expect(await outsideTransactions(() => rollUp(before, 10))).toBe(1);
    });
    expect(await rollUp(before, 10)).toBe(1);
    expect(await database.sql()('usage_days').pluck('credential')).toEqual(['key_2', 'key_1']);
  });
});
