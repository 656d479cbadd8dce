import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Figures } from '../../config/plans.ts';
import { ask } from '../../src/limits/ask.ts';
import { limitsOf } from '../../src/limits/policy.ts';
import { createReplay, type Replayed } from '../../src/usage/replay.ts';

/** Calls by second since 1970. */
type Calls = { second: number; calls: number }[];

/** As the recorder hands them over: minute by minute. */
function replay(figures: Figures, calls: Calls): Replayed {
  const replayed = createReplay([{ limits: limitsOf(figures), counts: {} }], ask);
  const minutes = Map.groupBy(calls, ({ second }) => Math.floor(second / 60));
  for (const [minute, ofMinute] of [...minutes].sort(([a], [b]) => a - b)) {
    const asked = Array.from({ length: 60 }, () => 0);
    for (const { second, calls: n } of ofMinute) asked[second % 60] = (asked[second % 60] ?? 0) + n;
    replayed.minute(new Date(minute * 60_000), asked);
  }
  return replayed.result();
}

/** Slow and obvious: keeps every call that was let through, and works out the windows from them anew for each call. */
function refusalsOf(figures: Figures, calls: Calls): number[] {
  const passed: number[] = [];
  const refused: number[] = [];
  for (const second of calls.flatMap(({ second: at, calls: n }) => Array.from({ length: n }, () => at))) {
    const today = passed.filter((at) => Math.floor(at / 86_400) === Math.floor(second / 86_400));
    const full =
      runningWindow(passed, 1, second).length >= figures.perSecond ||
      runningWindow(passed, 60, second).length >= figures.perMinute ||
      today.length >= figures.perDay;
    (full ? refused : passed).push(second);
  }
  return refused;
}

/** A window begins with the first call that is in none, and lasts so many seconds: the calls of the one that runs at `now`. */
function runningWindow(passed: number[], seconds: number, now: number): number[] {
  let start = Number.NEGATIVE_INFINITY;
  let inside: number[] = [];
  for (const at of passed) {
    if (at >= start + seconds) {
      start = at;
      inside = [];
    }
    inside.push(at);
  }
  return now < start + seconds ? inside : [];
}

const MIDNIGHT = Date.parse('2026-03-11T00:00:00Z') / 1000;

describe('the replay of recorded calls', () => {
  test('refuses what a slow, obvious model refuses, and says when', () => {
    const figures = fc.record({
      perSecond: fc.integer({ min: 1, max: 6 }),
      perMinute: fc.integer({ min: 1, max: 15 }),
      perDay: fc.integer({ min: 1, max: 40 }),
    });
    const calls = fc
      .array(
        fc.record({
          second: fc.integer({ min: MIDNIGHT - 150, max: MIDNIGHT + 150 }),
          calls: fc.integer({ min: 1, max: 8 }),
        }),
        { maxLength: 40 },
      )
      .map((list) => {
        const bySecond = Map.groupBy(list, ({ second }) => second);
        return [...bySecond]
          .sort(([a], [b]) => a - b)
          .map(([second, same]) => ({ second, calls: same.reduce((all, one) => all + one.calls, 0) }));
      });
    fc.assert(
      fc.property(figures, calls, (limits, recorded) => {
        const refused = refusalsOf(limits, recorded);
        const result = replay(limits, recorded);
        expect(result.refused).toBe(refused.length);
        expect(result.firstRefusedAt?.getTime()).toBe(refused[0] && refused[0] * 1000);
        expect(result.lastRefusedAt?.getTime()).toBe(refused.at(-1) && (refused.at(-1) ?? 0) * 1000);
        const byMinute = [...Map.groupBy(refused, (second) => Math.floor(second / 60))];
        const most = Math.max(0, ...byMinute.map(([, ofMinute]) => ofMinute.length));
        expect(result.worstMinute?.refused ?? 0).toBe(most);
        const worst = byMinute.find(([, ofMinute]) => ofMinute.length === most)?.[0];
        expect(result.worstMinute?.at.getTime()).toBe(worst && worst * 60_000);
        const { second, minute, day } = result.refusedBy;
        expect(second + minute + day).toBe(refused.length);
      }),
      { numRuns: 300 },
    );
  });

  const free: Figures = { perSecond: 10, perMinute: 60, perDay: 1_000 };

  test('refuses nothing that keeps to the limits', () => {
    const calls = Array.from({ length: 10 }, (_, i) => ({ second: MIDNIGHT + i * 10, calls: 10 }));
    expect(replay(free, calls)).toMatchObject({
      refused: 0,
      firstRefusedAt: undefined,
      worstMinute: undefined,
    });
  });

  test('names the window that refused: of several the one that does so longest', () => {
    const burst = [{ second: MIDNIGHT, calls: 13 }];
    expect(replay(free, burst).refusedBy).toEqual({ second: 3, minute: 0, day: 0 });
    const minute = Array.from({ length: 7 }, (_, i) => ({ second: MIDNIGHT + 30 + i * 2, calls: 10 }));
    expect(replay(free, minute).refusedBy).toEqual({ second: 0, minute: 10, day: 0 });
    const day = Array.from({ length: 101 }, (_, i) => ({ second: MIDNIGHT + i * 15, calls: 10 }));
    expect(replay({ ...free, perMinute: 600 }, day).refusedBy).toEqual({ second: 0, minute: 0, day: 10 });
  });

  test('has a minute begin with its first call, not with the clock; a refused call counts in none', () => {
    const calls = [
      { second: MIDNIGHT - 5, calls: 2 },
      { second: MIDNIGHT + 10, calls: 3 }, // the minute that began at 23:59:55 is full
      { second: MIDNIGHT + 55, calls: 2 }, // it has ended; the three that were refused are not in the way
    ];
    expect(replay({ perSecond: 9, perMinute: 2, perDay: 99 }, calls)).toEqual({
      refused: 3,
      refusedBy: { second: 0, minute: 3, day: 0 },
      firstRefusedAt: new Date((MIDNIGHT + 10) * 1000),
      lastRefusedAt: new Date((MIDNIGHT + 10) * 1000),
      worstMinute: { at: new Date(MIDNIGHT * 1000), refused: 3 },
    });
  });
});
