import fc from 'fast-check';
import type { Limits, WindowName } from '../../src/limits/policy.ts';

/**
 * The rule again, as slowly and plainly as it can be said: every request that was let through is kept, and each window is
 * found by walking them all.
 */
export function createObviousModel(limits: Limits) {
  const allowed: number[] = [];
  const lengthMs: Record<WindowName, number> = { second: 1_000, minute: 60_000, day: 86_400_000 };

  /** What the window that runs at `nowMs` holds, and when it ends; undefined when none runs. */
  const running = (window: WindowName, nowMs: number): { used: number; endsAtMs: number } | undefined => {
    let start = Number.NEGATIVE_INFINITY;
    let used = 0;
    for (const at of allowed) {
      const begins = window === 'day' ? Math.floor(at / lengthMs.day) * lengthMs.day : at;
      if (at >= start + lengthMs[window]) {
        start = begins;
        used = 0;
      }
      used++;
    }
    const endsAtMs = start + lengthMs[window];
    return endsAtMs > nowMs ? { used, endsAtMs } : undefined;
  };

  const full = (nowMs: number): WindowName[] =>
    (Object.keys(limits) as WindowName[]).filter(
      (window) => (running(window, nowMs)?.used ?? 0) >= (limits[window] ?? Number.POSITIVE_INFINITY),
    );

  return {
    ask: (nowMs: number): boolean => {
      if (full(nowMs).length > 0) return false;
      allowed.push(nowMs);
      return true;
    },
    /** The least number of whole seconds to wait. */
    secondsUntilAllowed: (nowMs: number): number => {
      const ends = full(nowMs).map((window) => running(window, nowMs)?.endsAtMs ?? 0);
      return Math.ceil((Math.max(...ends) - nowMs) / 1000);
    },
  };
}

export const limitsArbitrary = fc.record({
  second: fc.integer({ min: 1, max: 5 }),
  minute: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 40 }),
});

/** Milliseconds from each request to the next: together, within a second, a minute, and over midnights. */
export const stepsArbitrary = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 1_500 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 61_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 50_000_000 }) },
  ),
  { maxLength: 80 },
);
