import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { createRedisBuckets } from '../../adapters/redis/buckets.ts';
import { connectRedis } from '../../adapters/redis/connect.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { Buckets } from '../../src/limits/buckets.ts';
import { createMemoryBuckets } from '../../src/limits/memory-buckets.ts';
import { type Counts, type Limits, take, WINDOWS } from '../../src/limits/policy.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const WIDE = { second: 1_000, minute: 1_000, day: 1_000 };
let made = 0;
const newKey = (): string => `{org_${++made}:live:api_key}`;

/** What every way of keeping buckets must do. */
function describeBuckets(name: string, open: () => Buckets): void {
  describe(`Buckets ${name}`, () => {
    test('count up to the limit and no further, under concurrency', async () => {
      const buckets = open();
      const bucket = { key: newKey(), limits: { ...WIDE, minute: 100 } };
      const taken = await Promise.all(Array.from({ length: 400 }, () => buckets.take([bucket])));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(100);
    });

    test('count in all buckets of a call or in none', async () => {
      const buckets = open();
      const key = newKey();
      const wanted = [
        { key, limits: WIDE },
        { key: `${key}:key_1`, limits: { minute: 3 } },
      ];
      const taken = await Promise.all(Array.from({ length: 20 }, () => buckets.take(wanted)));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(3);
      const { parts } = await buckets.peek(wanted);
      expect(parts.map(({ counts }) => counts.minute?.used)).toEqual([3, 3]);
    });

    test('say which of them nothing was known of', async () => {
      const buckets = open();
      const bucket = { key: newKey(), limits: WIDE };
      expect((await buckets.take([bucket])).isNew).toEqual([true]);
      expect((await buckets.take([bucket])).isNew).toEqual([false]);
    });

    test('are looked at without being counted, several at once', async () => {
      const buckets = open();
      const [one, two] = [newKey(), newKey()];
      await buckets.take([{ key: one, limits: WIDE }]);
      const look = () =>
        buckets.peek([
          { key: one, limits: WIDE },
          { key: two, limits: WIDE },
        ]);
      await look();
      expect((await look()).parts.map(({ counts }) => counts.day?.used)).toEqual([1, 0]);
    });

    test("raise the day's count, and never lower it", async () => {
      const buckets = open();
      const bucket = { key: newKey(), limits: WIDE };
      await buckets.take([bucket]);
      for (const used of [40, 20]) {
        await buckets.raiseDay(bucket.key, used);
        const { counts } = (await buckets.peek([bucket])).parts[0] ?? {};
        expect(counts).toMatchObject({ minute: { used: 1 }, day: { used: 40 } });
      }
    });

    test('go by the limit that is asked with: one that was raised lets more through at once', async () => {
      const buckets = open();
      const key = newKey();
      const ask = (minute: number) => buckets.take([{ key, limits: { ...WIDE, minute } }]);
      expect((await ask(1)).allowed).toBe(true);
      expect((await ask(1)).allowed).toBe(false);
      expect((await ask(2)).allowed).toBe(true);
    });
  });
}

describeBuckets('in this process', () => createMemoryBuckets(Date.now));

describe('Buckets in this process', () => {
  test('are forgotten when all of their windows have ended', async () => {
    let nowMs = Date.UTC(2026, 0, 15, 12);
    const buckets = createMemoryBuckets(() => nowMs);
    const bucket = { key: newKey(), limits: WIDE };
    await buckets.take([bucket]);
    nowMs += 86_400_000;
    await buckets.take([{ key: newKey(), limits: WIDE }]);
    expect((await buckets.take([bucket])).isNew).toEqual([true]);
  });
});

describeWith('redis', 'With a Redis of our own', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  describeBuckets('in Redis', () => createRedisBuckets(redis));

  /** Any state that a hash can be in, ended windows and missing ones included. */
  const held = fc.record({
    used: fc.integer({ min: 0, max: 4 }),
    leftMs: fc.integer({ min: -100_000, max: 100_000 }).filter((left) => Math.abs(left) > 2_000), // not while it runs
    exists: fc.boolean(),
  });
  const bucket = fc.record({
    second: held,
    minute: held,
    day: held,
    limits: fc.record({
      second: fc.integer({ min: 1, max: 5 }),
      minute: fc.integer({ min: 1, max: 5 }),
      day: fc.integer({ min: 1, max: 5 }),
    }),
    capped: fc.subarray([...WINDOWS], { minLength: 1 }),
  });

  /** Requests that come within one turn of the event loop, for which one call decides. */
  const times = fc.integer({ min: 1, max: 7 });

  test('the script decides as the pure function does, one after the other, from any state, and writes what that says', async () => {
    const buckets = createRedisBuckets(redis);
    await fc.assert(
      fc.asyncProperty(fc.array(bucket, { minLength: 1, maxLength: 2 }), times, async (made, count) => {
        const tag = newKey();
        const nowMs = Date.now();
        const wanted: { key: string; limits: Limits }[] = [];
        const before: { limits: Limits; counts: Counts }[] = [];
        for (const [i, { limits, capped, ...windows }] of made.entries()) {
          const key = i === 0 ? tag : `${tag}:key_1`;
          const own = i === 0 ? limits : Object.fromEntries(capped.map((window) => [window, limits[window]]));
          const counts: Counts = {};
          for (const window of WINDOWS) {
            const { used, leftMs, exists } = windows[window];
            if (!exists) continue;
            counts[window] = { used, endsAtMs: nowMs + leftMs };
            const field = window[0] as string;
            await redis.hset(`limits:${key}`, field, used, `${field}e`, nowMs + leftMs);
          }
          wanted.push({ key, limits: own });
          before.push({ limits: own, counts });
        }
        const taken = await Promise.all(Array.from({ length: count }, () => buckets.take(wanted)));
        let kept = before;
        for (const { allowed, nowMs: at, parts } of taken) {
          const expected = take(at, kept);
          expect(allowed).toBe(expected.allowed);
          expect(parts).toEqual(expected.parts);
          if (expected.allowed) kept = expected.parts;
        }
        const at = taken[0]?.nowMs ?? 0;
        const { parts } = await buckets.peek(wanted);
        for (const [i, { counts }] of parts.entries()) {
          for (const [window, { used }] of Object.entries(counts)) {
            const known = kept[i]?.counts[window as keyof Counts];
            expect(used).toBe(known && known.endsAtMs > at + 500 ? known.used : used);
          }
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test('a bucket goes by itself when its day is over', async () => {
    const key = newKey();
    await createRedisBuckets(redis).take([{ key, limits: WIDE }]);
    const untilMidnight = 86_400_000 - (Date.now() % 86_400_000);
    expect(await redis.pttl(`limits:${key}`)).toBeLessThanOrEqual(Math.max(untilMidnight, 60_000));
    expect(await redis.pttl(`limits:${key}`)).toBeGreaterThan(0);
  });

  test('the scripts come back after they were flushed', async () => {
    const buckets = createRedisBuckets(redis);
    const wanted = [{ key: newKey(), limits: WIDE }];
    await buckets.take(wanted);
    await redis.script('FLUSH');
    expect((await buckets.take(wanted)).parts[0]?.counts.minute?.used).toBe(2);
  });
});

describeWith('redis', 'With a Redis Cluster', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
    const redis = new Redis(server.url);
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    while (!(await redis.cluster('INFO')).includes('cluster_state:ok')) await redis.ping();
    redis.disconnect();
  });
  afterAll(() => server?.stop());

  test("the organization's bucket and a key's own are of one slot, and one call", async () => {
    const cluster = connectRedis(server.url, { cluster: true, logger: createLogger('silent') });
    await new Promise((resolve) => cluster.once('ready', resolve));
    const buckets = createRedisBuckets(cluster);
    const key = newKey();
    const wanted = [
      { key, limits: WIDE },
      { key: `${key}:key_1`, limits: { minute: 1 } },
    ];
    expect((await buckets.take(wanted)).allowed).toBe(true);
    expect((await buckets.take(wanted)).allowed).toBe(false);
    // Buckets of several organizations are of several slots: they can be looked at together all the same.
    const others = Array.from({ length: 5 }, () => ({ key: newKey(), limits: WIDE }));
    expect((await buckets.peek([...wanted, ...others])).parts).toHaveLength(7);
    cluster.disconnect();
  });
});
