import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import type { Bucket, Buckets } from './buckets.ts';
import { halved } from './policy.ts';

/** After so many failures in a row the shared buckets aren't asked for a while. */
const FAILURES = 3;
const ASK_AGAIN_AFTER_MS = 1_000;

export type Fallback = Buckets & {
  /** Whether requests are decided in this process for now. */
  isDegraded(): boolean;
  /** Asks whether the shared buckets answer again, so that recovery doesn't wait for a request, nor a request for it. */
  probe(): Promise<void>;
};

/**
 * The shared buckets; while they don't answer, this process's own at half the limits. What a call can wait for them is
 * bounded by their own timeout; once they have failed a few times in a row, calls don't wait at all.
 */
export function createFallback(deps: {
  shared: Buckets;
  local: Buckets;
  /** Resolves when the shared buckets can be reached. */
  ping(): Promise<unknown>;
  onChange(degraded: boolean): void;
}): Fallback {
  const { shared, local, ping, onChange } = deps;
  const breaker = circuitBreaker(handleAll, {
    breaker: new ConsecutiveBreaker(FAILURES),
    halfOpenAfter: ASK_AGAIN_AFTER_MS,
  });
  breaker.onBreak(() => onChange(true));
  breaker.onReset(() => onChange(false));
  const isDegraded = (): boolean => breaker.state !== CircuitState.Closed;

  const either = async <T>(
    buckets: readonly Bucket[],
    ask: (of: Buckets, buckets: readonly Bucket[]) => Promise<T>,
  ): Promise<T> => {
    if (breaker.state !== CircuitState.Open) {
      try {
        return await breaker.execute(() => ask(shared, buckets));
      } catch {
        // Told by `onChange`, and by the connection itself.
      }
    }
    return ask(
      local,
      buckets.map(({ key, limits }) => ({ key, limits: halved(limits) })),
    );
  };

  return {
    take: (buckets) => either(buckets, (of, wanted) => of.take(wanted)),
    peek: (buckets) => either(buckets, (of, wanted) => of.peek(wanted)),
    raiseDay: (key, used) => shared.raiseDay(key, used),
    isDegraded,
    probe: async () => {
      try {
        await breaker.execute(ping);
      } catch {
        // Still down.
      }
    },
  };
}
