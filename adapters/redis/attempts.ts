import type { Cluster, Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { CreateAttemptLimit } from '../../src/kernel/attempts.ts';
import { attemptLimitOf } from '../memory/attempts.ts';

/**
 * Attempts counted in Redis, by all processes together; in this process alone while Redis can't be reached.
 * `isDown`: known to be, so that nobody waits to find out.
 */
export function createRedisAttemptLimits(redis: Redis | Cluster, isDown: () => boolean): CreateAttemptLimit {
  return ({ name, attempts, windowSeconds }) => {
    const options = { points: attempts, duration: windowSeconds };
    const inProcess = new RateLimiterMemory({ ...options, keyPrefix: name });
    const local = attemptLimitOf(inProcess);
    const shared = attemptLimitOf(
      new RateLimiterRedis({
        ...options,
        storeClient: redis,
        keyPrefix: `attempts:${name}`,
        rejectIfRedisNotReady: true,
        insuranceLimiter: inProcess,
      }),
    );
    const limit = () => (isDown() ? local : shared);
    return {
      attempt: (key) => limit().attempt(key),
      look: (key) => limit().look(key),
      forgive: (key) => limit().forgive(key),
      reset: (key) => limit().reset(key),
    };
  };
}
