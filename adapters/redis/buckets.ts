import type { Cluster, Redis, Result } from 'ioredis';
import type { Bucket, Buckets } from '../../src/limits/buckets.ts';
import type { Counts, WindowName } from '../../src/limits/policy.ts';
import { createRedisCalls } from './calls.ts';

/** In the order in which the script takes and gives them. */
const WINDOWS = ['second', 'minute', 'day'] as const satisfies WindowName[];

const PREFIX = 'limits:';
const NO_LIMIT = -1;
/** isNew, then used and end of each window. */
const FIELDS_A_BUCKET = 1 + 2 * WINDOWS.length;

/**
 * `take` of src/limits/policy.ts, so many times one after the other, where the counts are: reads all, decides how many pass,
 * and writes those to all buckets. By Redis's own clock, so that nodes whose clocks differ agree. A bucket is a hash of six
 * fields: used and end of each window.
 *
 * KEYS: buckets, of one slot. ARGV: how many requests, 0 to look; then three limits a bucket, -1 for none.
 * Answers: how many pass, the time in milliseconds, then `FIELDS_A_BUCKET` numbers a bucket, as they were before.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = { now + 1000, now + 60000, now - now % 86400000 + 86400000 }
local answer = { tonumber(ARGV[1]), now }
for b, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 's', 'se', 'm', 'me', 'd', 'de')
  answer[#answer + 1] = held[2] and 0 or (held[4] and 0 or (held[6] and 0 or 1))
  for w = 1, 3 do
    local limit = tonumber(ARGV[3 * b - 2 + w])
    local used, ending = tonumber(held[2 * w - 1] or 0), tonumber(held[2 * w] or 0)
    if ending <= now then used, ending = 0, ends[w] end
    if limit >= 0 then answer[1] = math.min(answer[1], math.max(0, limit - used)) end
    answer[#answer + 1] = used
    answer[#answer + 1] = ending
  end
end
if answer[1] == 0 then return answer end
for b, key in ipairs(KEYS) do
  local at = 2 + 7 * (b - 1)
  local values, last = {}, 0
  for w = 1, 3 do
    if tonumber(ARGV[3 * b - 2 + w]) >= 0 then
      local used, ending = answer[at + 2 * w], answer[at + 2 * w + 1]
      values[#values + 1] = ({ 's', 'm', 'd' })[w]
      values[#values + 1] = used + answer[1]
      values[#values + 1] = ({ 'se', 'me', 'de' })[w]
      values[#values + 1] = string.format('%.0f', ending)
      last = math.max(last, ending)
    end
  end
  redis.call('HSET', key, unpack(values))
  redis.call('PEXPIREAT', key, string.format('%.0f', last))
end
return answer
`;

/** KEYS: a bucket. ARGV: what the day has counted at least. */
const RAISE_DAY = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ending = now - now % 86400000 + 86400000
local held = redis.call('HMGET', KEYS[1], 'd', 'de')
local used = tonumber(held[1] or 0)
if tonumber(held[2] or 0) <= now then used = 0 end
if used < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'd', ARGV[1], 'de', string.format('%.0f', ending))
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ending))
end
return 1
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeFromBuckets(keys: number, ...keysAndArgs: (string | number)[]): Result<number[], Context>;
    raiseDayOfBucket(key: string, used: number): Result<number, Context>;
  }
}

/** Buckets counted in Redis, one server or a cluster. Rejects when it doesn't answer in time. */
export function createRedisBuckets(redis: Redis | Cluster): Buckets {
  redis.defineCommand('takeFromBuckets', { lua: TAKE });
  redis.defineCommand('raiseDayOfBucket', { lua: RAISE_DAY, numberOfKeys: 1 });

  const inTime = createRedisCalls(redis);

  const ask = (count: number, buckets: readonly Bucket[]): Promise<number[]> => {
    const keys: string[] = [];
    const limits: number[] = [];
    for (const bucket of buckets) {
      keys.push(PREFIX + bucket.key);
      for (const window of WINDOWS) limits.push(bucket.limits[window] ?? NO_LIMIT);
    }
    return redis.takeFromBuckets(keys.length, ...keys, count, ...limits);
  };

  /** Who asks for the same buckets within one turn of the event loop: one call decides for all, in the order they came. */
  const groups = new Map<readonly Bucket[], { count: number; answer: Promise<number[]> }>();
  const join = (buckets: readonly Bucket[]): { place: number; answer: Promise<number[]> } => {
    let group = groups.get(buckets);
    if (!group) {
      const begun = { count: 0, answer: Promise.resolve<number[]>([]) };
      begun.answer = inTime(() => {
        groups.delete(buckets);
        return ask(begun.count, buckets);
      });
      groups.set(buckets, begun);
      group = begun;
    }
    return { place: group.count++, answer: group.answer };
  };

  return {
    take: async (buckets) => {
      const { place, answer } = join(buckets);
      const found = await answer;
      const passing = found[0] as number;
      const countedByThen = Math.min(place + 1, passing);
      return {
        allowed: place < passing,
        nowMs: found[1] as number,
        parts: buckets.map(({ limits }, i) => ({
          limits,
          counts: countsIn(found, i, limits, countedByThen),
        })),
        isNew: buckets.map((_, i) => place === 0 && found[2 + i * FIELDS_A_BUCKET] === 1),
      };
    },
    // One call a bucket: they may live on different nodes of a cluster. Sent together, so still one wait.
    peek: async (buckets) => {
      const answers = await Promise.all(buckets.map((bucket) => inTime(() => ask(0, [bucket]))));
      return {
        nowMs: answers[0]?.[1] ?? 0,
        parts: buckets.map(({ limits }, i) => ({ limits, counts: countsIn(answers[i] ?? [], 0, limits, 0) })),
      };
    },
    raiseDay: async (key, used) => {
      await redis.raiseDayOfBucket(PREFIX + key, used);
    },
  };
}

/** `more`: what was counted since the answer's numbers held. */
function countsIn(answer: readonly number[], bucket: number, limits: Bucket['limits'], more: number): Counts {
  const counts: Counts = {};
  let at = 2 + bucket * FIELDS_A_BUCKET + 1;
  for (const window of WINDOWS) {
    if (limits[window] !== undefined)
      counts[window] = { used: (answer[at] as number) + more, endsAtMs: answer[at + 1] as number };
    at += 2;
  }
  return counts;
}
