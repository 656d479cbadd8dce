import { execFile } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '../../src/kernel/ids.ts';
import { freshDataDir } from '../support/databases.ts';
import { programEnv } from '../support/harness.ts';
import { withDatabase } from '../support/prepare.ts';
import { minuteCount } from './support.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

type Ran = { code: number; stdout: string; stderr: string };

const run = (env: Record<string, string>, ...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--liftoff-only', 'src/cli.ts', 'limits', 'try', ...args],
      { cwd: ROOT, env: { ...programEnv(), ...env } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

const calls = (perSecond: Record<number, number>): number[] =>
  Array.from({ length: 60 }, (_, second) => perSecond[second] ?? 0);

describe('promptreports-auth limits try', () => {
  const env = { DATA_DIR: freshDataDir().dataDir };
  const busy = newId('org');
  const calm = newId('org');
  const minute = new Date('2026-03-10T10:00:00Z');
  const later = new Date('2026-03-10T10:01:00Z');

  beforeAll(() =>
    withDatabase(env, async ({ organizations, usage }) => {
      await organizations.insert({ id: busy, name: 'Busy', plan: 'pro' });
      await organizations.insert({ id: calm, name: 'Calm', plan: 'free' });
      await usage.add({
        writerId: 'test',
        number: 1,
        hours: [],
        minutes: [
          // 12 in a second, 80 in a minute: too much for free, not for pro
          minuteCount({ organizationId: busy, minute, asked: calls({ 5: 12, 20: 10, 30: 10 }) }),
          minuteCount({
            organizationId: busy,
            minute: later,
            asked: calls({ 0: 10, 1: 10, 2: 10, 3: 10, 4: 10, 59: 55 }),
          }),
          minuteCount({ organizationId: busy, minute, environment: 'test', asked: calls({ 0: 10 }) }),
          minuteCount({ organizationId: calm, minute, method: 'oauth_user', asked: calls({ 0: 11, 1: 1 }) }),
        ],
        networks: [],
      });
    }),
  );

  const refusedOf = async (...args: string[]) => {
    const { code, stdout } = await run(env, '--json', ...args);
    expect(code).toBe(0);
    return JSON.parse(stdout) as { requests: number; buckets: number; refused: Record<string, unknown>[] };
  };

  test('says who would be refused, when and how often, and how many are now', async () => {
    expect(await refusedOf('--plan', 'free')).toEqual({
      plan: 'free',
      from: '2026-03-10T10:00:00.000Z',
      to: '2026-03-10T10:02:00.000Z',
      requests: 159,
      buckets: 3,
      refused: [
        {
          organizationId: busy,
          organizationName: 'Busy',
          environment: 'live',
          method: 'api_key',
          presentPlan: 'pro',
          requests: 137,
          present: {
            refused: 5,
            refusedBy: { second: 5, minute: 0, day: 0 },
            firstRefusedAt: '2026-03-10T10:01:59.000Z',
            lastRefusedAt: '2026-03-10T10:01:59.000Z',
            worstMinute: { at: '2026-03-10T10:01:00.000Z', refused: 5 },
          },
          tried: {
            refused: 67,
            refusedBy: { second: 47, minute: 20, day: 0 },
            firstRefusedAt: '2026-03-10T10:00:05.000Z',
            lastRefusedAt: '2026-03-10T10:01:59.000Z',
            worstMinute: { at: '2026-03-10T10:01:00.000Z', refused: 65 },
          },
        },
        {
          organizationId: calm,
          organizationName: 'Calm',
          environment: 'live',
          method: 'oauth_user',
          presentPlan: 'free',
          requests: 12,
          present: expect.objectContaining({ refused: 1 }),
          tried: expect.objectContaining({ refused: 1 }),
        },
      ],
    });
  });

  test('looks at one organization, or one stretch of time, where that is asked for', async () => {
    const ofCalm = await refusedOf('--plan', 'pro', '--organization', calm);
    expect(ofCalm).toMatchObject({ requests: 12, buckets: 1 });
    expect(ofCalm.refused).toMatchObject([
      { organizationId: calm, present: { refused: 1 }, tried: { refused: 0 } },
    ]);
    const first = await refusedOf('--plan', 'free', '--from', '2026-03-10T12:01:00+02:00');
    expect(first).toMatchObject({ requests: 105, from: later.toISOString() });
    expect(first.refused).toMatchObject([{ tried: { refusedBy: { second: 45, minute: 0 } } }]);
    const second = await refusedOf('--plan', 'free', '--to', later.toISOString());
    expect(second).toMatchObject({ requests: 54, to: later.toISOString() });
  });

  test('tells a person in words', async () => {
    const { stdout } = await run(env, '--plan', 'free');
    expect(stdout).toContain('159 calls in 3 buckets, from 2026-03-10T10:00Z to 2026-03-10T10:02Z');
    expect(stdout).toContain('68 calls would be refused.');
    expect(stdout).toContain(
      `Busy (${busy}), live, api_key\n    67 of 137 would be refused; on pro, as now, 5\n`,
    );
    expect(stdout).toContain(
      'first 2026-03-10T10:00:05Z, last 2026-03-10T10:01:59Z, worst minute 2026-03-10T10:01Z with 65',
    );
    const nothing = await run(env, '--plan', 'free', '--from', '2026-04-01T00:00:00Z');
    expect(nothing.stdout).toBe('No calls are recorded in that time.\n');
    const none = await run(env, '--plan', 'enterprise', '--organization', busy, '--to', later.toISOString());
    expect(none.stdout).toContain('None would be refused');
  });

  test("refuses in words what it can't do", async () => {
    const wrong: [string[], RegExp][] = [
      [['--plan', 'gold'], /free, pro, business, enterprise/],
      [[], /--plan/],
      [['--plan', 'free', '--from', '2026-03-10'], /a time with its zone/],
      [['--plan', 'free', '--from', '2026-03-10T00:00:00Z', '--to', '2026-03-10T00:00:00Z'], /before --to/],
      [['--plan', 'free', '--organization', 'org_x'], /no organization org_x/],
    ];
    for (const [args, words] of wrong) {
      const { code, stdout, stderr } = await run(env, ...args);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(words);
    }
  });
});
