import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { CreateAttemptLimit } from '../../src/kernel/attempts.ts';
import { attemptLimitOf } from '../memory/attempts.ts';

/** Attempts counted in Redis, by all processes together; in this process alone while Redis can't be reached. */
export const createRedisAttemptLimits =
  (redis: Redis): CreateAttemptLimit =>
  ({ name, attempts, windowSeconds }) =>
    attemptLimitOf(
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `attempts:${name}`,
        points: attempts,
        duration: windowSeconds,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory({
          keyPrefix: name,
          points: attempts,
          duration: windowSeconds,
        }),
      }),
    );
