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
 * `take` of src/limits/policy.ts, where the counts are: reads all, decides, and writes all or nothing. By Redis's own clock,
 * so that nodes whose clocks differ agree. A bucket is a hash of six fields: used and end of each window.
 *
 * KEYS: buckets, of one slot. ARGV: 1 to count or 0 to look, then three limits a bucket, -1 for none.
 * Answers: 1 or 0 for allowed, the time in milliseconds, then `FIELDS_A_BUCKET` numbers a bucket.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = { now + 1000, now + 60000, now - now % 86400000 + 86400000 }
local answer = { 1, now }
for b, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 's', 'se', 'm', 'me', 'd', 'de')
  answer[#answer + 1] = held[2] and 0 or (held[4] and 0 or (held[6] and 0 or 1))
  for w = 1, 3 do
    local limit = tonumber(ARGV[3 * b - 2 + w])
    local used, ending = tonumber(held[2 * w - 1] or 0), tonumber(held[2 * w] or 0)
    if ending <= now then used, ending = 0, ends[w] end
    if limit >= 0 and used >= limit then answer[1] = 0 end
    answer[#answer + 1] = used
    answer[#answer + 1] = ending
  end
end
if ARGV[1] == '0' or answer[1] == 0 then return answer end
for b, key in ipairs(KEYS) do
  local at = 2 + 7 * (b - 1)
  local values, last = {}, 0
  for w = 1, 3 do
    if tonumber(ARGV[3 * b - 2 + w]) >= 0 then
      local used = at + 2 * w
      answer[used] = answer[used] + 1
      values[#values + 1] = ({ 's', 'm', 'd' })[w]
      values[#values + 1] = answer[used]
      values[#values + 1] = ({ 'se', 'me', 'de' })[w]
      values[#values + 1] = string.format('%.0f', answer[used + 1])
      last = math.max(last, answer[used + 1])
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

  const call = (count: 0 | 1, buckets: readonly Bucket[]): Promise<number[]> => {
    const keys: string[] = [];
    const limits: number[] = [];
    for (const bucket of buckets) {
      keys.push(PREFIX + bucket.key);
      for (const window of WINDOWS) limits.push(bucket.limits[window] ?? NO_LIMIT);
    }
    return inTime(() => redis.takeFromBuckets(keys.length, ...keys, count, ...limits));
  };

  return {
    take: async (buckets) => {
      const answer = await call(1, buckets);
      return {
        allowed: answer[0] === 1,
        nowMs: answer[1] as number,
        parts: buckets.map(({ limits }, i) => ({ limits, counts: countsIn(answer, i, limits) })),
        isNew: buckets.map((_, i) => answer[2 + i * FIELDS_A_BUCKET] === 1),
      };
    },
    // One call a bucket: they may live on different nodes of a cluster. Sent together, so still one wait.
    peek: async (buckets) => {
      const answers = await Promise.all(buckets.map((bucket) => call(0, [bucket])));
      return {
        nowMs: answers[0]?.[1] ?? 0,
        parts: buckets.map(({ limits }, i) => ({ limits, counts: countsIn(answers[i] ?? [], 0, limits) })),
      };
    },
    raiseDay: async (key, used) => {
      await redis.raiseDayOfBucket(PREFIX + key, used);
    },
  };
}

function countsIn(answer: readonly number[], bucket: number, limits: Bucket['limits']): Counts {
  const counts: Counts = {};
  let at = 2 + bucket * FIELDS_A_BUCKET + 1;
  for (const window of WINDOWS) {
    if (limits[window] !== undefined)
      counts[window] = { used: answer[at] as number, endsAtMs: answer[at + 1] as number };
    at += 2;
  }
  return counts;
}
