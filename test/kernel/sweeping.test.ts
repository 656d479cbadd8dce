import { describe, expect, test } from '@jest/globals';
import type { Logger } from '../../src/kernel/log.ts';
import { createSweep, type Leftovers } from '../../src/kernel/sweeping.ts';

const warnings: string[] = [];
const logger = { warn: (_: object, message: string) => void warnings.push(message) } as unknown as Logger;

/** `left` rows, of which each turn clears so many. */
const heap = (of: string, left: number, turns: string[]): Leftovers & { left(): number } => ({
  of,
  clear: async (most) => {
    turns.push(of);
    const cleared = Math.min(most, left);
    left -= cleared;
    return cleared;
  },
  left: () => left,
});

describe('The sweep', () => {
  test('goes on until nothing is left, however much came in, each in its turn', async () => {
    const turns: string[] = [];
    const [much, little, nothing] = [
      heap('much', 35, turns),
      heap('little', 5, turns),
      heap('none', 0, turns),
    ];
    await createSweep([much, little, nothing], { logger, most: 10, budgetMs: 5_000 })();
    expect([much.left(), little.left()]).toEqual([0, 0]);
    expect(turns).toEqual(['much', 'little', 'none', 'much', 'much', 'much']);
  });

  test('ends with its budget, and begins the next time where it ended', async () => {
    const turns: string[] = [];
    const much = heap('much', 1_000_000, turns);
    const slow: Leftovers = {
      of: 'slow',
      clear: async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return 1;
      },
    };
    const sweep = createSweep([much, slow], { logger, most: 1, budgetMs: 200 });
    const startedMs = performance.now();
    await sweep();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    const before = much.left();
    expect(before).toBeLessThan(1_000_000);
    await sweep();
    expect(much.left()).toBeLessThan(before);
  });

  test('rests as long as it works, so that requests have the database for half of the time', async () => {
    let worked = 0;
    const busy: Leftovers = {
      of: 'busy',
      clear: async () => {
        const begun = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 20));
        worked += performance.now() - begun;
        return 1;
      },
    };
    const startedMs = performance.now();
    await createSweep([busy], { logger, most: 1, budgetMs: 300 })();
    expect(worked).toBeLessThan(0.6 * (performance.now() - startedMs));
  });

  test('tells of what fails, and clears the rest', async () => {
    const other = heap('other', 3, []);
    const broken: Leftovers = { of: 'broken things', clear: () => Promise.reject(new Error('no')) };
    await createSweep([broken, other], { logger, most: 10, budgetMs: 1_000 })();
    expect(other.left()).toBe(0);
    expect(warnings).toEqual(['broken things that are past their time could not be cleared']);
  });

  test('ends at once when the process is told to stop', async () => {
    const stopping = new AbortController();
    let turns = 0;
    const endless: Leftovers = {
      of: 'endless',
      clear: async () => {
        turns += 1;
        if (turns === 3) stopping.abort();
        return 1;
      },
    };
    await createSweep([endless], { logger, most: 1, budgetMs: 60_000 })(stopping.signal);
    expect(turns).toBe(3);
  });
});
