import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { CreateAttemptLimit } from '../../src/kernel/attempts.ts';

/** Attempts counted in this process. */
export const createMemoryAttemptLimit: CreateAttemptLimit = ({ name, attempts, windowSeconds }) => {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points: attempts, duration: windowSeconds });
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
};
