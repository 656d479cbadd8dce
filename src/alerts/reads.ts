import type { Environment } from '../../config/environments.ts';
import type { ActivityTrace, NetworkTrace } from './rules.ts';
import type { DayOfBucket, ExpiringKey } from './warnings.ts';

/** Whose. */
export type Owned<T> = T & { organizationId: string; environment: Environment };

/**
 * What the rules judge, of all organizations together. Each gives all that there is, a page at a time: however much one
 * organization does, it hides nothing of another.
 */
export type AlertReads = {
  /** Credentials that in an hour since `from` made or were refused so many calls, with the 14 days before that hour. */
  activity(from: Date, least: { requests: number; refused: number }): AsyncIterable<Owned<ActivityTrace>>;
  /** Credentials used since `since` from a network that is new to them, or for the first time in `sleepDays`. */
  networks(since: Date, sleepDays: number): AsyncIterable<Owned<NetworkTrace>>;
  /** Usable keys that expire by then, and were not replaced. */
  expiringKeys(now: Date, by: Date): AsyncIterable<Owned<ExpiringKey>>;
  /** What the limits let through on that UTC day, of buckets that were used since `since`. */
  daysOfBuckets(day: Date, since: Date): AsyncIterable<Owned<DayOfBucket>>;
};
