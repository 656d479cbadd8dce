import { figuresOf } from '../../config/plans.ts';
import type { Caller } from '../principals/principal.ts';
import { type Bucket, type Buckets, bucketKey } from './buckets.ts';
import { type Decision, decisionOf } from './decision.ts';
import { limitsOf } from './policy.ts';

export type Limiter = {
  /** Decides over one request, and counts it when it is let through. */
  take(caller: Caller): Promise<Decision>;
  /** What the caller would be told now. Counts nothing. */
  peek(caller: Caller): Promise<Decision>;
};

export type LimiterDeps = {
  buckets: Buckets;
  /**
   * How many requests of the present day (UTC) a bucket has let through, by what was recorded: for a count that was lost.
   * `capId`: those that a key's or an app's own limits counted alone.
   */
  recordedToday?(caller: Caller, capId: string | undefined): Promise<number>;
  inBackground(work: () => Promise<void>): void;
};

/** The one decision over every credential: the organization's windows and, where it has its own, the credential's. */
export function createLimiter({ buckets, recordedToday, inBackground }: LimiterDeps): Limiter {
  return {
    take: async (caller) => {
      const wanted = rememberedBuckets(caller);
      const taken = await buckets.take(wanted);
      if (recordedToday) {
        for (const [i, { key, credentialId }] of wanted.entries()) {
          if (!taken.isNew[i]) continue;
          inBackground(async () => {
            const used = await recordedToday(caller, credentialId);
            if (used > 0) await buckets.raiseDay(key, used);
          });
        }
      }
      return decisionOf(taken.nowMs, taken.allowed, taken.parts);
    },
    peek: async (caller) => {
      const { nowMs, parts } = await buckets.peek(bucketsOf(caller));
      return decisionOf(nowMs, true, parts);
    },
  };
}

const BUCKETS = Symbol('buckets');

/** Kept with the caller, which is remembered from call to call as long as nothing changes that its buckets rest on. */
function rememberedBuckets(caller: Caller & { [BUCKETS]?: CallerBucket[] }): CallerBucket[] {
  if (!caller[BUCKETS]) {
    // Not enumerable: a copy of a caller, which may differ, must not take it over.
    Object.defineProperty(caller, BUCKETS, { value: bucketsOf(caller) });
  }
  return caller[BUCKETS] as CallerBucket[];
}

/** `credentialId`: whose own limits these are; undefined for the organization's. */
export type CallerBucket = Bucket & { credentialId: string | undefined };

export function bucketsOf(
  caller: Pick<Caller, 'organizationId' | 'environment' | 'method' | 'allowance'>,
): CallerBucket[] {
  const { allowance, method } = caller;
  const key = bucketKey(caller);
  const shared: CallerBucket = {
    key,
    limits: limitsOf(figuresOf(allowance.plan, method, allowance.own)),
    credentialId: undefined,
  };
  const capped = limitsOf(allowance.cap);
  if (Object.keys(capped).length === 0) return [shared];
  return [shared, { key: bucketKey(caller, allowance.capId), limits: capped, credentialId: allowance.capId }];
}
