import { describe, expect, test } from '@jest/globals';
import { resolveRange } from '../../src/usage/report.ts';

const now = new Date('2026-03-10T10:20:30Z');
const rangeOf = (asked: { from?: string; to?: string; groupBy?: 'hour' | 'day' }) =>
  resolveRange(
    {
      groupBy: asked.groupBy ?? 'day',
      ...(asked.from ? { from: new Date(asked.from) } : {}),
      ...(asked.to ? { to: new Date(asked.to) } : {}),
    },
    now,
  );
const times = (range: ReturnType<typeof rangeOf>) =>
  'faults' in range ? range.faults : [range.from.toISOString(), range.to.toISOString()];

describe('the range of a report', () => {
  test('is by default the thirty days that end today, with the hour that has begun', () => {
    expect(times(rangeOf({}))).toEqual(['2026-02-09T00:00:00.000Z', '2026-03-10T11:00:00.000Z']);
    expect(times(resolveRange({ groupBy: 'day' }, new Date('2026-03-10T10:00:00Z')))).toEqual([
      '2026-02-09T00:00:00.000Z',
      '2026-03-10T11:00:00.000Z',
    ]);
  });

  test('counts the days back from an end that is given', () => {
    expect(times(rangeOf({ to: '2026-01-31T00:00:00Z' }))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-31T00:00:00.000Z',
    ]);
  });

  test('is taken to the ends of its hours, whatever the zone', () => {
    expect(times(rangeOf({ from: '2026-03-01T01:30:00+02:00', to: '2026-03-02T00:00:00.001Z' }))).toEqual([
      '2026-02-28T23:00:00.000Z',
      '2026-03-02T01:00:00.000Z',
    ]);
  });

  test('is at most 400 days, or 31 by the hour', () => {
    const days400 = { from: '2025-02-03T00:00:00Z', to: '2026-03-10T00:00:00Z' };
    expect(times(rangeOf(days400))).toEqual(['2025-02-03T00:00:00.000Z', '2026-03-10T00:00:00.000Z']);
    expect(times(rangeOf({ ...days400, to: '2026-03-10T00:00:01Z' }))).toEqual([
      { path: 'from', message: expect.stringContaining('400 days') },
    ]);
    const days31 = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', groupBy: 'hour' } as const;
    expect(times(rangeOf(days31))).toHaveLength(2);
    expect(times(rangeOf({ ...days31, to: '2026-02-01T01:00:00Z' }))).toEqual([
      { path: 'from', message: expect.stringContaining('31 days') },
    ]);
  });

  test('must not be empty', () => {
    for (const from of ['2026-03-10T11:00:00Z', '2027-01-01T00:00:00Z']) {
      expect(times(rangeOf({ from }))).toEqual([
        { path: 'from', message: expect.stringContaining('before') },
      ]);
    }
  });
});
