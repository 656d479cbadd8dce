import { type RateLimiterAbstract, RateLimiterMemory } from 'rate-limiter-flexible';
import type { AttemptLimit, CreateAttemptLimit } from '../../src/kernel/attempts.ts';

/** Attempts counted in this process. */
export const createMemoryAttemptLimit: CreateAttemptLimit = ({ name, attempts, windowSeconds }) =>
  attemptLimitOf(new RateLimiterMemory({ keyPrefix: name, points: attempts, duration: windowSeconds }));

/** Any limiter of the library as the port has it. */
export function attemptLimitOf(limiter: RateLimiterAbstract): AttemptLimit {
  return {
    attempt: async (key) => {
      try {
        await limiter.consume(key);
        return { allowed: true, retryAfterSeconds: 0 };
      } catch (refused) {
        if (refused instanceof Error) throw refused;
        const { msBeforeNext } = refused as { msBeforeNext: number };
        return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) };
      }
    },
    forgive: async (key) => {
      await limiter.reward(key);
    },
    reset: async (key) => {
      await limiter.delete(key);
    },
  };
}
