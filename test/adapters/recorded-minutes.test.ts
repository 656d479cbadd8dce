import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createMinuteReader } from '../../adapters/database/recorded-minutes.ts';
import { createUsageStore } from '../../adapters/database/usage.ts';
import type { RecordedMinute, RecordedRange } from '../../src/usage/try-plan.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { batchOf, minuteCount, newOrganization } from '../usage/support.ts';

const START = Date.parse('2026-03-10T00:00:00Z');

describeEachDatabase('Reading recorded minutes', (open) => {
  let database: Database;
  let first: string;
  let second: string;

  beforeAll(async () => {
    database = await open();
    [first, second] = [await newOrganization(database), await newOrganization(database)].sort() as [
      string,
      string,
    ];
    await database
      .sql()('organizations')
      .where({ id: second })
      .update({ plan: 'enterprise', limit_per_second: 500, limit_per_day: 200_000 });
    const minutes = Array.from({ length: 1_700 }, (_, index) => new Date(START + index * 60_000));
    await createUsageStore(database).add(
      batchOf({
        minutes: [
          ...minutes.map((minute) => minuteCount({ organizationId: second, minute })),
          ...minutes.map((minute) => minuteCount({ organizationId: first, method: 'oauth_user', minute })),
          minuteCount({ organizationId: first, minute: new Date(START + 60_000 * 1_000) }),
        ],
      }),
    );
  });
  afterAll(() => database.close());

  const read = async (range: Partial<RecordedRange> = {}): Promise<RecordedMinute[]> => {
    const all: RecordedMinute[] = [];
    const reader = createMinuteReader(database)({ from: new Date(0), to: new Date('2100-01-01'), ...range });
    for await (const page of reader) all.push(...page);
    return all;
  };

  test('gives every minute once, bucket after bucket, over the ends of pages', async () => {
    const keys = (await read()).map(
      ({ organizationId, method, minute }) => `${organizationId} ${method} ${minute.toISOString()}`,
    );
    expect(keys).toHaveLength(3_401);
    expect(keys).toEqual([...new Set(keys)].sort());
  });

  test('gives those of one organization, or those that begin in a stretch of time', async () => {
    expect(await read({ organizationId: first })).toHaveLength(1_701);
    const stretch = { from: new Date(START + 999.5 * 60_000), to: new Date(START + 1_001 * 60_000) };
    const minutes = await read(stretch);
    expect(minutes.map(({ minute }) => minute.getTime())).toEqual(
      [0, 0, 0].map(() => START + 1_000 * 60_000),
    );
  });

  test("says what the organization is allowed now: its plan's figures, and its own", async () => {
    const [of] = await read({ organizationId: second });
    expect(of).toMatchObject({
      organizationName: 'Test',
      environment: 'live',
      plan: 'enterprise',
      own: { perSecond: 500, perDay: 200_000 },
    });
    expect(await read({ organizationId: first })).toMatchObject(
      Array.from({ length: 1_701 }, () => ({ plan: 'free', own: {} })),
    );
  });
});
