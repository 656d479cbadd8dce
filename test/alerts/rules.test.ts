import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/alerts/alert.ts';
import { burst, newNetwork, refusals, slept } from '../../src/alerts/rules.ts';
import { expiring, limitWarning } from '../../src/alerts/warnings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type ActivityFile = {
  about: string;
  from: string;
  /** By hour, a day a row. */
  requests: number[][];
  refused: number[][];
  /** "<kind> <period>" of what owners should hear; empty for silence. */
  told: string[];
};
type NetworkFile = {
  about: string;
  createdAt: string;
  recordedSince: string;
  since: string;
  days: [network: string, first: string, last: string][];
  told: string[];
};

function traces<File extends { about: string }>(folder: string): [name: string, trace: File][] {
  const directory = path.join(import.meta.dirname, 'traces', folder);
  return readdirSync(directory).map((file) => {
    const trace = JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as File;
    return [`${path.basename(file, '.json')}: ${trace.about}`, trace];
  });
}

/** What is told once, however often it is found. */
const told = (findings: (Finding | undefined)[]): string[] => [
  ...new Set(findings.flatMap((finding) => (finding ? [`${finding.kind} ${finding.period}`] : []))),
];

describe('Unusual activity, looked for after each hour of', () => {
  test.each(traces<ActivityFile>('activity'))('%s', (_name, trace) => {
    const requests = trace.requests.flat();
    const refused = trace.refused.flat();
    const hours = requests.map((count, index) => ({
      hour: new Date(Date.parse(trace.from) + index * HOUR_MS),
      requests: count,
      refused: refused[index] ?? 0,
    }));
    const findings = hours.flatMap((current, index) => {
      const before = hours.slice(Math.max(0, index - 14 * 24), index).filter((hour) => hour.requests > 0);
      const activity = { credential: 'key_1', current, before };
      return [burst(activity), refusals(activity)];
    });
    expect(told(findings)).toEqual(trace.told);
  });

  test('says how much it was, and how much is usual', () => {
    const [, stolen] = traces<ActivityFile>('activity').find(([name]) => name.startsWith('stolen-key')) ?? [];
    const requests = stolen?.requests.flat() ?? [];
    const hourOf = (index: number) => ({
      hour: new Date(Date.parse(stolen?.from ?? '') + index * HOUR_MS),
      requests: requests[index] ?? 0,
      refused: 0,
    });
    const before = Array.from({ length: 336 }, (_, index) => hourOf(14 + index));
    expect(burst({ credential: 'key_1', current: hourOf(350), before })).toMatchObject({
      subject: 'key_1',
      data: { hour: '2026-01-19T14:00:00.000Z', requests: 2_600, usualRequests: 30 },
    });
  });
});

describe('The networks of', () => {
  test.each(traces<NetworkFile>('networks'))('%s', (_name, file) => {
    const since = new Date(file.since);
    const trace = {
      credential: 'key_1',
      createdAt: new Date(file.createdAt),
      recordedSince: new Date(file.recordedSince),
      days: file.days.map(([network, first, last]) => ({
        network,
        firstSeenAt: new Date(first),
        lastSeenAt: new Date(last),
      })),
    };
    expect(told([newNetwork(trace, since), slept(trace, since)])).toEqual(file.told);
  });
});

describe('Expiry', () => {
  const expiresAt = new Date('2026-03-01T00:00:00Z');
  const key = (daysOld: number) => ({
    id: 'key_1',
    createdAt: new Date(expiresAt.getTime() - daysOld * DAY_MS),
    expiresAt,
  });
  const warned = (daysOld: number) =>
    told(
      Array.from({ length: daysOld * 24 }, (_, hour) =>
        expiring(key(daysOld), new Date(expiresAt.getTime() - (daysOld * 24 - hour) * HOUR_MS)),
      ),
    ).map((one) => Number(one.split('/').at(-1)));

  test('is told at 30, 7 and 1 days, once each', () => {
    expect(warned(90)).toEqual([30, 7, 1]);
  });
  test('is not told of a stage that the key was made in', () => {
    expect(warned(30)).toEqual([30, 7, 1]);
    expect(warned(29)).toEqual([7, 1]);
    expect(warned(3)).toEqual([1]);
    expect(warned(0.5)).toEqual([]);
  });
  test('is told anew when it was changed', () => {
    const at = new Date('2026-02-25T00:00:00Z');
    const later = { ...key(90), expiresAt: new Date('2026-03-02T00:00:00Z') };
    expect(expiring(later, at)?.period).not.toBe(expiring(key(90), at)?.period);
  });
  test('is not told once it is over', () => {
    expect(expiring(key(90), expiresAt)).toBeUndefined();
  });
});

describe('The day', () => {
  const now = new Date('2026-01-15T10:30:00Z');
  const warning = (used: number) => limitWarning({ method: 'api_key', used, limit: 1_000 }, now);
  test('is warned of from 80 %, and from 100 %, and not before', () => {
    expect([0, 799, 800, 999, 1_000, 1_200].map((used) => warning(used)?.period)).toEqual([
      undefined,
      undefined,
      '2026-01-15/80',
      '2026-01-15/80',
      '2026-01-15/100',
      '2026-01-15/100',
    ]);
    expect(warning(800)).toMatchObject({
      subject: 'api_key',
      data: { method: 'api_key', percent: 80, day: '2026-01-15', limit: 1_000, used: 800 },
    });
  });
});
