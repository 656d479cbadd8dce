/** `retryAfterSeconds`: 0 when allowed. `resetSeconds`: until the window ends, or would if it began now. */
export type Attempt = {
  allowed: boolean;
  remaining: number;
  retryAfterSeconds: number;
  resetSeconds: number;
};

/**
 * Counting of guesses: a number of attempts for a key in a window of time. A port: in this process or,
 * with Redis, shared by all.
 */
export type AttemptLimit = {
  /** Counts one attempt; says whether it is within the limit, how many more are, and when counting begins anew. */
  attempt(key: string): Promise<Attempt>;
  /** The same, and counts nothing. */
  look(key: string): Promise<Attempt>;
  /** Takes one attempt back: it turned out to be right. */
  forgive(key: string): Promise<void>;
  /** Forgets the key. */
  reset(key: string): Promise<void>;
};

export type AttemptLimitOptions = { name: string; attempts: number; windowSeconds: number };

export type CreateAttemptLimit = (options: AttemptLimitOptions) => AttemptLimit;
