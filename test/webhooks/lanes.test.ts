import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { freeSlots, LANES, type UnderWay } from '../../src/webhooks/lanes.ts';

/** The time that one attempt may last (send.ts). */
const LONGEST_MS = 30_000;

const many = (count: number, lane: 'prompt' | 'slow', ageMs: number): UnderWay[] =>
  Array.from({ length: count }, () => ({ lane, startedMs: 10_000 - ageMs }));
const free = (lane: 'prompt' | 'slow', underWay: UnderWay[]) => freeSlots(lane, underWay, 10_000);

test('slots are free at first, and taken up by what is under way', () => {
  expect(free('prompt', [])).toBe(LANES.prompt.slots);
  expect(free('prompt', many(10, 'prompt', 0))).toBe(LANES.prompt.slots - 10);
  expect(free('slow', many(LANES.slow.slots, 'slow', 0))).toBe(0);
});

test('a lane takes nothing of the other', () => {
  expect(free('prompt', many(500, 'slow', 0))).toBe(LANES.prompt.slots);
  expect(free('slow', many(500, 'prompt', 0))).toBe(LANES.slow.slots);
});

test.each(['prompt', 'slow'] as const)('a receiver that hangs gives its slot of the %s lane back', (lane) => {
  const { slots, heldMs } = LANES[lane];
  expect(free(lane, many(slots, lane, heldMs - 1))).toBe(0);
  expect(free(lane, many(slots, lane, heldMs))).toBe(slots);
});

test.each(['prompt', 'slow'] as const)(
  'whenever receivers begin to hang, the %s lane is never full for longer than a slot is held, and what is under way is bounded',
  (lane) => {
    const { slots, heldMs } = LANES[lane];
    const most = slots * Math.ceil(LONGEST_MS / heldMs);
    const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 900 }), begin: fc.nat(200) }), {
      minLength: 50,
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, (taken) => {
        let nowMs = 0;
        let fullSinceMs: number | undefined;
        let underWay: UnderWay[] = [];
        for (const { afterMs, begin } of taken) {
          nowMs += afterMs;
          underWay = underWay.filter((one) => nowMs - one.startedMs < LONGEST_MS);
          const left = freeSlots(lane, underWay, nowMs);
          if (left > 0) fullSinceMs = undefined;
          else if (fullSinceMs !== undefined) expect(nowMs - fullSinceMs).toBeLessThan(heldMs);
          const begun = Math.min(begin, left);
          underWay.push(...Array.from({ length: begun }, () => ({ lane, startedMs: nowMs })));
          if (begun === left) fullSinceMs ??= nowMs;
          expect(underWay.length).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 200 },
    );
  },
);
