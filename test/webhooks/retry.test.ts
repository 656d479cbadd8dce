import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRetryAfter, RETRY_FOR_SECONDS, waitBeforeRetry } from '../../src/webhooks/retry.ts';

const DAY = 86_400;

describe('The waits between attempts', () => {
  /** The ages at which attempts are made, when each fails at once. */
  const attemptsOf = (random: () => number): number[] => {
    const ages = [0];
    for (;;) {
      const ageSeconds = ages.at(-1) as number;
      const wait = waitBeforeRetry({ failures: ages.length, ageSeconds, random: random() });
      if (wait === undefined) return ages;
      ages.push(ageSeconds + wait);
    }
  };

  test('grow, and end with an attempt at the 24th hour', () => {
    const ages = attemptsOf(() => 0.5);
    const waits = ages.slice(1).map((age, index) => age - (ages[index] as number));
    expect(waits.slice(0, 8)).toEqual([5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400]);
    expect(ages.at(-1)).toBe(DAY);
    expect(ages.length).toBeLessThan(16);
  });

  test('are jittered by a fifth, either way', () => {
    const wait = (random: number) => waitBeforeRetry({ failures: 3, ageSeconds: 40, random });
    expect([wait(0), wait(0.5), wait(1)]).toEqual([96, 120, 144]);
  });

  test('what the receiver asks for makes a wait longer, never shorter, and never goes past the day', () => {
    const wait = (askedSeconds: number, ageSeconds = 5) =>
      waitBeforeRetry({ failures: 2, ageSeconds, askedSeconds, random: 0.5 });
    expect([wait(0), wait(1), wait(300)]).toEqual([30, 30, 300]);
    expect(wait(14_400, DAY - 600)).toBe(600);
  });

  test('whatever the receiver asks and chance says, the last attempt is within the day, and there is one late in it', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (stream) => {
        const ages = attemptsOf(() => stream.next().value as number);
        expect(Math.max(...ages)).toBeLessThanOrEqual(RETRY_FOR_SECONDS);
        expect(ages.at(-1)).toBeGreaterThan(RETRY_FOR_SECONDS - 61);
      }),
      { numRuns: 200 },
    );
  });
});

describe('RFC 9110 §10.2.3: Retry-After', () => {
  const now = new Date('2026-01-15T10:30:00Z');
  const seconds = (value: string | undefined) => parseRetryAfter(value, now);

  test('is a number of seconds', () => {
    expect(['0', '120', ' 120 '].map(seconds)).toEqual([0, 120, 120]);
  });

  test('is a date, in each of the three forms of §5.6.7', () => {
    expect(seconds('Thu, 15 Jan 2026 10:31:30 GMT')).toBe(90);
    expect(seconds('Thursday, 15-Jan-26 10:31:30 GMT')).toBe(90);
    expect(seconds('Thu Jan 15 10:31:30 2026')).toBe(90);
    expect(seconds('Sun Feb  1 10:30:00 2026')).toBe(14_400);
    expect(seconds('Thu, 15 Jan 2026 10:00:00 GMT')).toBe(0);
  });

  test('is heard up to four hours', () => {
    expect(['14401', '9999999999', '9'.repeat(400), 'Sat, 15 Jan 2028 10:30:00 GMT'].map(seconds)).toEqual(
      Array.from({ length: 4 }, () => 14_400),
    );
  });

  test('is nothing else', () => {
    const odd = [
      undefined,
      '',
      '-1',
      '1.5',
      '1e3',
      'soon',
      '2026-01-15',
      '120, 60',
      'Thu, 99 Jan 2026 99:00:00 GMT',
    ];
    expect(odd.map(seconds)).toEqual(odd.map(() => undefined));
  });
});
