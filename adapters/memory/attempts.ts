import { type RateLimiterAbstract, RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Attempt, AttemptLimit, CreateAttemptLimit } from '../../src/kernel/attempts.ts';

/** Attempts counted in this process. */
export const createMemoryAttemptLimit: CreateAttemptLimit = ({ name, attempts, windowSeconds }) =>
  attemptLimitOf(new RateLimiterMemory({ keyPrefix: name, points: attempts, duration: windowSeconds }));

/** Any limiter of the library as the port has it. */
export function attemptLimitOf(limiter: RateLimiterAbstract): AttemptLimit {
  return {
    attempt: async (key) => {
      try {
        return toAttempt(true, await limiter.consume(key));
      } catch (refused) {
        if (refused instanceof Error) throw refused;
        return toAttempt(false, refused as RateLimiterRes);
      }
    },
    look: async (key) => {
      const counted = await limiter.get(key);
      if (counted === null) {
        const { points, duration } = limiter;
        return { allowed: true, remaining: points, retryAfterSeconds: 0, resetSeconds: duration };
      }
      return toAttempt(counted.remainingPoints > 0, counted);
    },
    forgive: async (key) => {
      await limiter.reward(key);
    },
    reset: async (key) => {
      await limiter.delete(key);
    },
  };
}

function toAttempt(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): Attempt {
  const resetSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  return {
    allowed,
    remaining: Math.max(0, remainingPoints),
    retryAfterSeconds: allowed ? 0 : resetSeconds,
    resetSeconds,
  };
}
