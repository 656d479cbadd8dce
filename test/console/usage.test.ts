import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAlertStore } from '../../adapters/database/alerts.ts';
import { boundsOf, seriesOf, totalOf } from '../../src/console/usage-series.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('Usage over time', () => {
  const now = new Date('2026-01-15T10:30:00.000Z');

  test('a range ends with the step that has begun', () => {
    expect(boundsOf('24h', now)).toEqual({
      from: '2026-01-14T11:00:00.000Z',
      to: '2026-01-15T11:00:00.000Z',
    });
    expect(boundsOf('30d', now)).toEqual({
      from: '2025-12-17T00:00:00.000Z',
      to: '2026-01-16T00:00:00.000Z',
    });
  });

  test('where nothing was asked there is a zero and no gap', () => {
    const counts = { requests: 3, refused: 1, clientErrors: 2, serverErrors: 0 };
    const rows = seriesOf(
      {
        object: 'usage',
        from: '2026-01-13T00:00:00.000Z',
        to: '2026-01-16T00:00:00.000Z',
        groupBy: 'day',
        data: [{ group: '2026-01-14', ...counts }],
        hasMore: false,
      },
      'day',
    );
    expect(rows.map(({ at, requests }) => [at.slice(0, 10), requests])).toEqual([
      ['2026-01-13', 0],
      ['2026-01-14', 3],
      ['2026-01-15', 0],
    ]);
    expect(totalOf(rows)).toEqual(counts);
  });
});

describe('Usage in the console', () => {
  let console_: Console;

  beforeAll(async () => {
    console_ = await startConsole();
  });
  afterAll(() => console_?.close());

  const get = (page: string, environment: 'live' | 'test' = 'live') =>
    console_.owner.open(console_.path(page, environment));

  test('a call with a key shows, by its name, its scope and its status, and in its environment alone', async () => {
    expect(textOf((await get('/usage')).html)).toContain('Nothing was asked in the last 7 days.');
    const answer = await fetch(`${console_.url}/v1/prompts`, {
      headers: { authorization: `Bearer ${console_.made.apiKeys.live}` },
    });
    expect(answer.status).toBe(200);
    await console_.services.usageMeter.flush();
    expect(textOf((await get('/usage?by=credential')).html)).toMatch(/First live key key_\w+ 1 0 0 0/);
    expect(textOf((await get('/usage?by=scope')).html)).toMatch(/prompts:read 1 0 0 0/);
    expect(textOf((await get('/usage?by=status&range=90d')).html)).toMatch(/200 1 0 0 0/);
    expect(textOf((await get('/usage', 'test')).html)).toContain('Nothing was asked');
    expect(textOf((await get('')).html)).toMatch(/The last 24 hours Usage Requests 1 /);
    expect(textOf((await get('')).html)).toMatch(/API keys 1 of 1,000/);
    expect(textOf((await get('', 'test')).html)).toContain('Nothing was asked');
    expect(textOf((await get('', 'test')).html)).toMatch(/API keys 0 of 1,000/);
  });

  test('alerts stand on the overview of their environment, in words', async () => {
    expect(textOf((await get('')).html)).toContain('Nothing to look at.');
    await createAlertStore(console_.services.database).insert({
      id: newId('alr'),
      kind: 'outside_allowlist',
      subject: 'key_01hzy3v7k0a4s9d8f7g6h5j4k3',
      period: '2026-01-15',
      data: { ip: '203.0.113.9' },
      organizationId: console_.made.organization.id,
      environment: 'live',
      createdAt: new Date(),
    });
    expect(textOf((await get('')).html)).toMatch(/tried from an address.*was presented from 203\.0\.113\.9/);
    expect(textOf((await get('', 'test')).html)).toContain('Nothing to look at.');
  });

  test('what is no range and no grouping is as if it were not there', async () => {
    expect((await get('/usage?range=constructor&by=__proto__')).status).toBe(200);
  });
});
