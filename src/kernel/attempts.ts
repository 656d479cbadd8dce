/**
 * Counting of guesses: a number of attempts for a key in a window of time. A port: in this process or,
 * with Redis, shared by all.
 */
export type AttemptLimit = {
  /** Counts one attempt; says whether it is within the limit and, if not, for how many seconds to wait. */
  attempt(key: string): Promise<{ allowed: boolean; retryAfterSeconds: number }>;
  /** Takes one attempt back: it turned out to be right. */
  forgive(key: string): Promise<void>;
  /** Forgets the key. */
  reset(key: string): Promise<void>;
};

export type AttemptLimitOptions = { name: string; attempts: number; windowSeconds: number };

export type CreateAttemptLimit = (options: AttemptLimitOptions) => AttemptLimit;
