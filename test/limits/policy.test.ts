import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { figuresOf, PLANS } from '../../config/plans.ts';
import { decisionOf } from '../../src/limits/decision.ts';
import { type Counted, type Counts, halved, type Limits, limitsOf, take } from '../../src/limits/policy.ts';
import { createObviousModel, limitsArbitrary, stepsArbitrary } from './model.ts';

const MIDNIGHT = Date.UTC(2026, 0, 16);
const NOON = MIDNIGHT - 12 * 3_600_000;

/** Sends requests through the decision, one by one, and keeps what it counted. */
function createBucket(limits: Limits) {
  let counts: Counts = {};
  return (nowMs: number) => {
    const taken = take(nowMs, [{ limits, counts }]);
    counts = taken.parts[0]?.counts ?? {};
    return decisionOf(nowMs, taken.allowed, taken.parts);
  };
}

describe('The decision over three windows', () => {
  test('is that of a slow and obvious model, for any limits and any times', () => {
    fc.assert(
      fc.property(limitsArbitrary, stepsArbitrary, (limits, steps) => {
        const ask = createBucket(limits);
        const model = createObviousModel(limits);
        let nowMs = NOON;
        for (const step of steps) {
          nowMs += step;
          const { allowed, retryAfterSeconds } = ask(nowMs);
          expect(allowed).toBe(model.ask(nowMs));
          if (!allowed) expect(retryAfterSeconds).toBe(model.secondsUntilAllowed(nowMs));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('waiting exactly retryAfterSeconds is enough, and a second less is not', () => {
    fc.assert(
      fc.property(limitsArbitrary, stepsArbitrary, (limits, steps) => {
        const ask = createBucket(limits);
        let nowMs = NOON;
        for (const step of steps) {
          nowMs += step;
          const { allowed, retryAfterSeconds } = ask(nowMs);
          if (allowed) continue;
          if (retryAfterSeconds > 1) expect(ask(nowMs + (retryAfterSeconds - 1) * 1000).allowed).toBe(false);
          nowMs += retryAfterSeconds * 1000;
          expect(ask(nowMs).allowed).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a refused request is counted in no window', () => {
    const ask = createBucket({ second: 1, minute: 3, day: 1_000 });
    expect(ask(NOON).allowed).toBe(true);
    for (let i = 0; i < 50; i++) expect(ask(NOON + 500).allowed).toBe(false);
    expect(ask(NOON + 1_000).shown).toMatchObject({ window: 'minute', remaining: 1 });
  });

  test('several parts are decided together: what one refuses the other does not count', () => {
    const limits = { second: 100, minute: 100, day: 100 };
    let parts: Counted[] = [
      { limits, counts: {} },
      { limits: { minute: 2 }, counts: {} },
    ];
    const answers = Array.from({ length: 5 }, () => {
      const taken = take(NOON, parts);
      parts = taken.parts;
      return taken.allowed;
    });
    expect(answers).toEqual([true, true, false, false, false]);
    expect(parts.map(({ counts }) => counts.minute?.used)).toEqual([2, 2]);
  });

  test('a day is the day in UTC', () => {
    const ask = createBucket({ second: 10, minute: 10, day: 1 });
    expect(ask(MIDNIGHT - 1).allowed).toBe(true);
    expect(ask(MIDNIGHT).allowed).toBe(true);
    expect(ask(MIDNIGHT + 1)).toMatchObject({
      allowed: false,
      shown: { window: 'day', resetAtMs: MIDNIGHT + 86_400_000 },
      retryAfterSeconds: 86_400,
    });
  });
});

describe('What the headers describe', () => {
  test('the minute, until the day has less left', () => {
    const ask = createBucket({ second: 10, minute: 4, day: 6 });
    expect(ask(NOON).shown).toMatchObject({ window: 'minute', limit: 4, remaining: 3 });
    for (let i = 0; i < 3; i++) ask(NOON);
    expect(ask(NOON + 60_000).shown).toMatchObject({ window: 'day', limit: 6, remaining: 1 });
  });

  test('the window that refused; of several the one that does so longest', () => {
    const ask = createBucket({ second: 2, minute: 2, day: 10 });
    ask(NOON);
    ask(NOON);
    expect(ask(NOON + 10)).toMatchObject({ shown: { window: 'minute' }, retryAfterSeconds: 60 });
  });
});

describe('The figures', () => {
  test("an organization's own go before the plan's, one by one", () => {
    expect(figuresOf('pro', 'api_key', { perSecond: 7 })).toEqual({ ...PLANS.pro, perSecond: 7 });
  });

  test('halved, never nothing', () => {
    expect(halved(limitsOf(PLANS.free))).toEqual({ second: 5, minute: 30, day: 500 });
    expect(halved({ minute: 1 })).toEqual({ minute: 1 });
  });
});
