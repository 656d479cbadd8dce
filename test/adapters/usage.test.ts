import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createUsageStore } from '../../adapters/database/usage.ts';
import type { UsageBatch, UsageStore } from '../../src/usage/usage.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { at, batchOf, hourCount, minuteCount, networkUse, newOrganization } from '../usage/support.ts';

const perSecond = (counts: Record<number, number>): number[] =>
  Array.from({ length: 60 }, (_, second) => counts[second] ?? 0);

describeEachDatabase('The storage of usage', (open) => {
  let database: Database;
  let usage: UsageStore;
  let organizationId: string;

  beforeAll(async () => {
    database = await open();
    usage = createUsageStore(database);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    organizationId = await newOrganization(database);
  });

  const rowsOf = (table: string): Promise<Record<string, unknown>[]> =>
    database.sql()(table).where({ organization_id: organizationId });

  describe('adds a batch', () => {
    test('to what is there: counts of hours and of seconds', async () => {
      const hour = { organizationId, requests: 5, allowed: 3, refused: 1 };
      await usage.add(
        batchOf({
          hours: [hourCount(hour), hourCount({ ...hour, status: 404 })],
          minutes: [minuteCount({ organizationId, asked: perSecond({ 0: 1, 59: 2 }) })],
        }),
      );
      await usage.add(
        batchOf({
          hours: [hourCount(hour)],
          minutes: [minuteCount({ organizationId, asked: perSecond({ 0: 10, 30: 4 }) })],
        }),
      );
      const rows = await rowsOf('usage_hours');
      expect(rows.sort((a, b) => Number(b['status']) - Number(a['status']))).toEqual([
        expect.objectContaining({ status: 404, requests: '5', allowed: '3', refused: '1' }),
        expect.objectContaining({
          status: 200,
          requests: '10',
          allowed: '6',
          refused: '2',
          hour: at('10:00:00'),
          credential: 'key_1',
          route: 'GET /v1/prompts',
          scope: 'prompts:read',
        }),
      ]);
      expect(await rowsOf('usage_minutes')).toEqual([
        expect.objectContaining({ minute: at('10:00:00'), asked: perSecond({ 0: 11, 30: 4, 59: 2 }) }),
      ]);
    });

    test('once: repeated under its number it adds nothing, the next one does', async () => {
      const batch = batchOf({
        hours: [hourCount({ organizationId })],
        minutes: [minuteCount({ organizationId, asked: perSecond({ 1: 1 }) })],
      });
      await usage.add(batch);
      await usage.add(batch);
      await Promise.all([usage.add(batch), usage.add(batch)]);
      await usage.add({ ...batch, number: 2 });
      expect(await rowsOf('usage_hours')).toMatchObject([{ requests: '2' }]);
      expect(await rowsOf('usage_minutes')).toMatchObject([{ asked: perSecond({ 1: 2 }) }]);
    });

    test('whole or not at all', async () => {
      const batch = batchOf({
        hours: [hourCount({ organizationId })],
        minutes: [minuteCount({ organizationId, asked: [1] })], // not sixty: against the table's check
      });
      await expect(usage.add(batch)).rejects.toMatchObject({ code: '23514' });
      expect(await rowsOf('usage_hours')).toEqual([]);
      await usage.add({ ...batch, minutes: [] });
      expect(await rowsOf('usage_hours')).toMatchObject([{ requests: '1' }]);
    });

    test('without what belongs to an organization that is gone', async () => {
      const gone = await newOrganization(database);
      await usage.add(batchOf({ hours: [hourCount({ organizationId: gone })] }));
      await database.sql()('organizations').where({ id: gone }).delete();
      const both = [gone, organizationId];
      await usage.add(
        batchOf({
          hours: both.map((id) => hourCount({ organizationId: id })),
          minutes: both.map((id) => minuteCount({ organizationId: id })),
          networks: both.map((id) => networkUse({ organizationId: id })),
        }),
      );
      for (const table of ['usage_hours', 'usage_minutes', 'credential_networks']) {
        expect(await rowsOf(table)).toHaveLength(1);
        expect(await database.sql()(table).where({ organization_id: gone })).toEqual([]);
      }
    });

    test('of one network twice, and keeps when it was first and last seen on each day', async () => {
      const seen = (from: string, to: string) =>
        networkUse({ organizationId, firstSeenAt: new Date(from), lastSeenAt: new Date(to) });
      await usage.add(
        batchOf({
          networks: [
            seen('2026-03-10T08:00:00Z', '2026-03-10T09:00:00Z'),
            seen('2026-03-10T07:00:00Z', '2026-03-10T07:30:00Z'),
            seen('2026-03-11T00:00:00Z', '2026-03-11T00:00:01Z'),
          ],
        }),
      );
      await usage.add(batchOf({ networks: [seen('2026-03-10T23:59:59.999Z', '2026-03-10T23:59:59.999Z')] }));
      const rows = await database
        .sql()('credential_networks')
        .where({ organization_id: organizationId })
        .orderBy('day')
        .select('network', 'first_seen_at', 'last_seen_at', database.sql().raw('day::text AS day'));
      expect(rows).toEqual([
        {
          network: '192.0.2.1',
          day: '2026-03-10',
          first_seen_at: new Date('2026-03-10T07:00:00Z'),
          last_seen_at: new Date('2026-03-10T23:59:59.999Z'),
        },
        {
          network: '192.0.2.1',
          day: '2026-03-11',
          first_seen_at: new Date('2026-03-11T00:00:00Z'),
          last_seen_at: new Date('2026-03-11T00:00:01Z'),
        },
      ]);
    });

    describe('beside others that add to the same rows in another order: nothing is lost, nobody waits in a circle, of', () => {
      const names = Array.from({ length: 600 }, (_, index) => `key_${index}`);
      const writers = 6;
      /** Each writer's names, every other one's backwards. */
      const together = (batchWith: (ordered: string[], writer: number) => Partial<UsageBatch>) =>
        Promise.all(
          Array.from({ length: writers }, (_, writer) => {
            const ordered = writer % 2 === 0 ? names : names.toReversed();
            return usage.add(batchOf(batchWith(ordered, writer)));
          }),
        );

      test('hours', async () => {
        await together((ordered) => ({
          hours: ordered.map((credential) => hourCount({ organizationId, credential })),
        }));
        const rows = await rowsOf('usage_hours');
        expect(rows).toHaveLength(names.length);
        expect(rows.every((row) => row['requests'] === String(writers))).toBe(true);
      });

      test('minutes', async () => {
        const minuteOf = (name: string) => new Date(at('00:00:00').getTime() + names.indexOf(name) * 60_000);
        await together((ordered, writer) => ({
          minutes: ordered.map((name) =>
            minuteCount({ organizationId, minute: minuteOf(name), asked: perSecond({ [writer]: 1, 59: 1 }) }),
          ),
        }));
        const rows = await rowsOf('usage_minutes');
        expect(rows).toHaveLength(names.length);
        const each = perSecond({ 0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 59: writers });
        for (const row of rows) expect(row['asked']).toEqual(each);
      });

      test('networks', async () => {
        await together((ordered) => ({
          networks: ordered.map((credential) => networkUse({ organizationId, credential })),
        }));
        expect(await rowsOf('credential_networks')).toHaveLength(names.length);
      });
    });
  });

  test("refuses counts that can't be: more decided than asked, hours that begin in between", async () => {
    for (const wrong of [{ allowed: 1, refused: 1 }, { hour: at('10:30:00') }, { requests: 0, allowed: 0 }]) {
      const batch = batchOf({ hours: [hourCount({ organizationId, ...wrong })] });
      await expect(usage.add(batch)).rejects.toMatchObject({ code: '23514' });
    }
  });

  test('gives back what the limits let through on a UTC day: of one bucket, and of all by credential', async () => {
    const other = await newOrganization(database);
    const allowed = (requests: number) => ({ requests: requests + 1, allowed: requests });
    await usage.add(
      batchOf({
        hours: [
          hourCount({ organizationId, hour: at('00:00:00'), ...allowed(1) }),
          hourCount({ organizationId, hour: at('23:00:00'), status: 404, ...allowed(2) }),
          hourCount({ organizationId, hour: at('23:00:00'), credential: 'key_2', ...allowed(4) }),
          hourCount({ organizationId, hour: new Date('2026-03-09T23:00:00Z'), ...allowed(8) }),
          hourCount({ organizationId, hour: new Date('2026-03-11T00:00:00Z'), ...allowed(16) }),
          hourCount({ organizationId, environment: 'test', ...allowed(32) }),
          hourCount({ organizationId, method: 'client_credentials', credential: 'app_1', ...allowed(64) }),
          hourCount({ organizationId: other, ...allowed(128) }),
        ],
      }),
    );
    const bucket = { organizationId, environment: 'live', method: 'api_key' } as const;
    expect(await usage.allowedOnDay(bucket, at('12:34:56'))).toBe(7);
    expect(await usage.allowedOnDay({ ...bucket, environment: 'test' }, at('00:00:00'))).toBe(32);
    expect(await usage.allowedOnDay({ ...bucket, method: 'oauth_user' }, at('00:00:00'))).toBe(0);

    const all = await usage.allAllowedOnDay(at('23:59:59.999'));
    const ours = all.filter(({ organizationId: id }) => [organizationId, other].includes(id));
    expect(ours).toHaveLength(5);
    expect(ours).toEqual(
      expect.arrayContaining([
        { ...bucket, capId: 'key_1', allowed: 3 },
        { ...bucket, capId: 'key_2', allowed: 4 },
        { ...bucket, environment: 'test', capId: 'key_1', allowed: 32 },
        { ...bucket, method: 'client_credentials', capId: 'app_1', allowed: 64 },
        { ...bucket, organizationId: other, capId: 'key_1', allowed: 128 },
      ]),
    );
  });

  test('counts keys as one that were rotated into one another, and an app for all of its people', async () => {
    const key = {
      organization_id: organizationId,
      name: 'k',
      environment: 'live',
      scopes: [],
      last4: 'aaaa',
    };
    await database
      .sql()('api_keys')
      .insert([
        { ...key, id: 'key_first', key_hash: Buffer.alloc(32, 1) },
        { ...key, id: 'key_second', key_hash: Buffer.alloc(32, 2), first_key_id: 'key_first' },
      ]);
    const allowed = (count: number) => ({ requests: count, allowed: count });
    const person = { method: 'oauth_user', hour: at('01:00:00') } as const;
    await usage.add(
      batchOf({
        hours: [
          hourCount({ organizationId, hour: at('01:00:00'), credential: 'key_first', ...allowed(1) }),
          hourCount({ organizationId, hour: at('01:00:00'), credential: 'key_second', ...allowed(2) }),
          hourCount({ organizationId, ...person, credential: 'usr_1:app_9', ...allowed(4) }),
          hourCount({ organizationId, ...person, credential: 'usr_2:app_9', ...allowed(8) }),
        ],
      }),
    );
    const bucket = { organizationId, environment: 'live' } as const;
    expect(await usage.allowedOnDay({ ...bucket, method: 'api_key' }, at('02:00:00'), 'key_first')).toBe(3);
    expect(await usage.allowedOnDay({ ...bucket, method: 'oauth_user' }, at('02:00:00'), 'app_9')).toBe(12);
    expect(await usage.allAllowedOnDay(at('02:00:00'))).toEqual(
      expect.arrayContaining([
        { ...bucket, method: 'api_key', capId: 'key_first', allowed: 3 },
        { ...bucket, method: 'oauth_user', capId: 'app_9', allowed: 12 },
      ]),
    );
  });
});
