import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Site, startSite } from '../support/site.ts';
import { hourCount } from '../usage/support.ts';

type Usage = {
  object: string;
  from: string;
  to: string;
  groupBy: string;
  data: { group: string; requests: number; refused: number; clientErrors: number; serverErrors: number }[];
  hasMore: boolean;
};

describe('GET /v1/usage', () => {
  let site: Site;
  let readerWithoutScope: string;

  beforeAll(async () => {
    site = await startSite({}, async (services, made) => {
      const organizationId = made.organization.id;
      const hour = new Date('2026-03-10T10:00:00Z');
      await services.usage.add({
        writerId: 'before-the-start',
        number: 1,
        hours: [
          hourCount({ organizationId, hour, requests: 7, allowed: 5, refused: 2, status: 429 }),
          hourCount({ organizationId, hour, environment: 'test', requests: 70 }),
        ],
        minutes: [],
        networks: [],
      });
      const { key } = await services.createApiKey(
        {
          organizationId,
          name: 'k',
          environment: 'live',
          scopes: ['prompts:read'],
          createdBy: made.user.id,
        },
        { actor: { type: 'operator' } },
      );
      readerWithoutScope = key.reveal();
    });
  }, 60_000);
  afterAll(() => site.stop());

  const get = async (path: string, key: string): Promise<{ status: number; json: unknown }> => {
    const answer = await fetch(new URL(path, site.server.url), {
      headers: { Authorization: `Bearer ${key}` },
    });
    return { status: answer.status, json: await answer.json() };
  };
  const usage = async (query: string, key = site.made.apiKeys.live) =>
    get(`/v1/usage${query}`, key) as Promise<{ status: number; json: Usage }>;

  const MARCH = 'from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';

  test('answers with the sums of the range', async () => {
    expect(await usage(`?${MARCH}&groupBy=hour`)).toEqual({
      status: 200,
      json: {
        object: 'usage',
        from: '2026-03-01T00:00:00.000Z',
        to: '2026-04-01T00:00:00.000Z',
        groupBy: 'hour',
        data: [
          {
            group: '2026-03-10T10:00:00.000Z',
            requests: 7,
            refused: 2,
            clientErrors: 7,
            serverErrors: 0,
          },
        ],
        hasMore: false,
      },
    });
  });

  test("shows each environment's credentials their own data", async () => {
    const { json } = await usage(`?${MARCH}`, site.made.apiKeys.test);
    expect(json.data).toMatchObject([{ group: '2026-03-10', requests: 70 }]);
  });

  test('shows a call within about a second, by the credential that made it, refused or not', async () => {
    expect((await get('/v1/me', readerWithoutScope)).status).toBe(200);
    expect((await get('/v1/reports', readerWithoutScope)).status).toBe(403);
    const seen = async () => {
      const { json } = await usage('?groupBy=credential');
      const [ours] = json.data.filter(({ clientErrors }) => clientErrors === 1);
      return ours;
    };
    const started = Date.now();
    let found = await seen();
    while (!found && Date.now() - started < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      found = await seen();
    }
    expect(found).toEqual({
      group: expect.stringMatching(/^key_/),
      requests: 2,
      refused: 0,
      clientErrors: 1,
      serverErrors: 0,
    });
    expect(Date.now() - started).toBeLessThan(3_000); // a second, and what a busy machine adds
    const { json } = await usage('?groupBy=scope');
    expect(json.data.map(({ group }) => group)).toEqual(
      expect.arrayContaining(['authenticated', 'reports:read', 'organization:read']),
    );
  });

  test('takes the thirty days to now by day when nothing is asked for', async () => {
    const { json } = await usage('');
    expect(json).toMatchObject({ groupBy: 'day', object: 'usage' });
    const hours = (Date.parse(json.to) - Date.parse(json.from)) / 3_600_000;
    expect(hours).toBeGreaterThan(29 * 24);
    expect(hours).toBeLessThanOrEqual(30 * 24);
  });

  const faults: [string, string, string[]][] = [
    [
      'an unknown grouping and a time without a zone',
      '?groupBy=route&from=2026-03-01T00:00:00',
      ['from', 'groupBy'],
    ],
    ['a day instead of a time', '?to=2026-03-01', ['to']],
    ['a year that no database counts', '?from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z', ['from', 'to']],
    ['an end before the start', '?from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z', ['from']],
    ['too long a range', '?from=2020-01-01T00:00:00Z', ['from']],
    [
      'too long a range by the hour',
      `?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z&groupBy=hour`,
      ['from'],
    ],
    ['an unknown parameter', '?groupby=day', ['groupby']],
    ['a parameter twice', '?groupBy=day&groupBy=hour', ['groupBy']],
  ];
  test.each(faults)('refuses %s with 422 that names each', async (_, query, paths) => {
    const { status, json } = await usage(query);
    const { errors } = json as unknown as { errors: { path: string }[] };
    expect([status, errors.map(({ path }) => path).sort()]).toEqual([422, paths]);
  });

  test('needs organization:read', async () => {
    expect((await usage('', readerWithoutScope)).status).toBe(403);
  });

  test('stands in the API document with its parameters', async () => {
    const answer = await fetch(new URL('/openapi.json', site.server.url));
    const document = (await answer.json()) as {
      paths: Record<string, { get: { parameters: { name: string; required: boolean }[] } }>;
    };
    expect(document.paths['/v1/usage']?.get.parameters.map(({ name, required }) => [name, required])).toEqual(
      [
        ['from', false],
        ['to', false],
        ['groupBy', false],
      ],
    );
  });
});
