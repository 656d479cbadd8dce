import type { Buckets } from './buckets.ts';
import { type Counts, current, take, windowEnd } from './policy.ts';

const SWEEP_EVERY_MS = 60_000;

/** Buckets counted in this process. Those whose windows have all ended are forgotten. `now`: milliseconds since 1970. */
export function createMemoryBuckets(now: () => number): Buckets {
  const buckets = new Map<string, Counts>();
  let sweptAtMs = now();

  const sweep = (nowMs: number): void => {
    if (nowMs - sweptAtMs < SWEEP_EVERY_MS) return;
    sweptAtMs = nowMs;
    for (const [key, counts] of buckets) {
      if (Object.values(counts).every(({ endsAtMs }) => endsAtMs <= nowMs)) buckets.delete(key);
    }
  };

  return {
    take: async (wanted) => {
      const nowMs = now();
      sweep(nowMs);
      const parts = wanted.map(({ key, limits }) => ({ limits, counts: buckets.get(key) ?? {} }));
      const isNew = wanted.map(({ key }) => !buckets.has(key));
      const taken = take(nowMs, parts);
      if (taken.allowed) wanted.forEach(({ key }, i) => void buckets.set(key, taken.parts[i]?.counts ?? {}));
      return { ...taken, nowMs, isNew };
    },
    peek: async (wanted) => {
      const nowMs = now();
      return {
        nowMs,
        parts: wanted.map(({ key, limits }) => ({
          limits,
          counts: current(nowMs, limits, buckets.get(key) ?? {}),
        })),
      };
    },
    raiseDay: async (key, used) => {
      const nowMs = now();
      const counts = buckets.get(key) ?? {};
      const { day } = current(nowMs, { day: 1 }, counts);
      if (day && day.used >= used) return;
      buckets.set(key, { ...counts, day: { used, endsAtMs: windowEnd('day', nowMs) } });
    },
  };
}
