import { hash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { AttemptLimit, CreateAttemptLimit } from '../../src/kernel/attempts.ts';
import { attemptLimitOf } from '../memory/attempts.ts';
import { createRedisCalls } from './calls.ts';

/**
 * Attempts counted in Redis, by all processes together; in this process alone while Redis can't be reached.
 * `isDown`: known to be, so that nobody waits to find out. Redis is told no address of a person or a machine, nor what
 * somebody typed into the wrong field, but their SHA-256.
 */
export function createRedisAttemptLimits(redis: Redis | Cluster, isDown: () => boolean): CreateAttemptLimit {
  const inTime = createRedisCalls(redis);
  return ({ name, attempts, windowSeconds }) => {
    const options = { points: attempts, duration: windowSeconds };
    const local = attemptLimitOf(new RateLimiterMemory({ ...options, keyPrefix: name }));
    const shared = attemptLimitOf(
      new RateLimiterRedis({
        ...options,
        storeClient: redis,
        keyPrefix: `attempts:${name}`,
        rejectIfRedisNotReady: true,
      }),
    );
    const either = async <T>(ask: (limit: AttemptLimit) => Promise<T>): Promise<T> => {
      if (isDown()) return ask(local);
      try {
        return await inTime(() => ask(shared));
      } catch {
        return ask(local);
      }
    };
    const digest = (key: string): string => hash('sha256', key, 'base64url');
    return {
      attempt: (key) => either((limit) => limit.attempt(digest(key))),
      look: (key) => either((limit) => limit.look(digest(key))),
      forgive: (key) => either((limit) => limit.forgive(digest(key))),
      reset: (key) => either((limit) => limit.reset(digest(key))),
    };
  };
}
