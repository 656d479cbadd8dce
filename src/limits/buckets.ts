import type { Counted, Limits } from './policy.ts';

/** A bucket that a request falls into, and what it lets through. */
export type Bucket = { key: string; limits: Limits };

/** The limits that held and the counts after the decision, of each bucket, by the clock of whoever keeps them. */
export type Taken = {
  allowed: boolean;
  nowMs: number;
  parts: Counted[];
  /** Which of the buckets nothing was known of. */
  isNew: boolean[];
};

/** Where requests are counted: in this process, or shared by all. */
export type Buckets = {
  /**
   * Counts one request in all windows of all buckets, or in none, when one of them is full. MUST be exact however many
   * callers there are at once, and take one round trip. All keys of one call have the same `{…}` part.
   */
  take(buckets: readonly Bucket[]): Promise<Taken>;
  /** The same, and counts nothing. Each bucket by itself: `allowed` is not told, and keys may differ. */
  peek(buckets: readonly Bucket[]): Promise<Pick<Taken, 'nowMs' | 'parts'>>;
  /** Raises the day's count to at least `used`: counted before what kept the count was lost. */
  raiseDay(key: string, used: number): Promise<void>;
};

/**
 * One bucket an organization, environment and method, so that making more keys buys nothing. The braces make Redis
 * Cluster keep what belongs together on one node. `capId`: for the own limits of a key or an app.
 */
export const bucketKey = (
  of: { organizationId: string; environment: string; method: string },
  capId?: string,
): string => `{${of.organizationId}:${of.environment}:${of.method}}${capId === undefined ? '' : `:${capId}`}`;
