import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseItem, parseList } from 'structured-headers';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { ownToken } from '../support/api.ts';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshDataDir } from '../support/databases.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

/** The one member of a list of the IETF draft's: its name and parameters. */
const member = (header: string | null) => {
  const [item, ...more] = parseList(header ?? '');
  expect(more).toEqual([]);
  const [name, parameters] = item as [string, Map<string, number>];
  return { name, ...Object.fromEntries(parameters) };
};

describe('Limits of /v1', () => {
  let server: ServerProcess;

  const call = async (
    path: string,
    credential?: string,
    { headers = {}, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const answer = await fetch(server.url + path, {
      ...init,
      headers: { ...(credential ? { Authorization: `Bearer ${credential}` } : {}), ...headers },
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  };

  /** One organization a test: none of them uses up another's. */
  const DATA = freshDataDir().dataDir;
  const ORGANIZATIONS = ['headers', 'refusal', 'free', 'cap', 'methods', 'scopes'] as const;
  const made = {} as Record<(typeof ORGANIZATIONS)[number], Bootstrapped>;

  beforeAll(async () => {
    const env = { DATA_DIR: DATA };
    for (const name of ORGANIZATIONS) {
      made[name] = await bootstrapDatabase(
        env,
        '--organization',
        name,
        '--plan',
        name === 'free' ? 'free' : 'pro',
      );
    }
    server = await startServer({ ...env, LOG_LEVEL: 'warn' });
  }, 120_000);
  afterAll(() => server?.stop());

  const tokenOf = ({ apps }: Bootstrapped, scope: string) => ownToken({ server }, apps.service, scope);

  test("an answer carries the customer's four headers and the draft's two, on the same window", async () => {
    const before = Math.floor(Date.now() / 1000);
    const { headers } = await call('/v1/me', made.headers.apiKeys.live);
    expect(headers.get('x-ratelimit-limit')).toBe('300');
    expect(headers.get('x-ratelimit-remaining')).toBe('299');
    expect(headers.get('x-ratelimit-policy')).toBe('300/minute');
    expect(headers.get('retry-after')).toBeNull();
    const reset = Number(headers.get('x-ratelimit-reset'));
    expect(reset).toBeGreaterThanOrEqual(before + 60);
    expect(reset).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 60);
    expect(member(headers.get('ratelimit-policy'))).toEqual({ name: 'minute', q: 300, w: 60 });
    expect(member(headers.get('ratelimit'))).toEqual({ name: 'minute', r: 299, t: 60 });
    expect(parseItem(headers.get('ratelimit') ?? '')[0]).toBe('minute');
  });

  test('every answer of /v1 carries them: 400, 401, 403, 404, 405, 415, 422, and of unknown paths', async () => {
    const { live } = made.headers.apiKeys;
    const token = await tokenOf(made.headers, 'prompts:read');
    const answers: [status: number, answer: Answer][] = [
      [401, await call('/v1/me')],
      [401, await call('/v1/me', 'pr_live_wrong')],
      [400, await call(`/v1/me?access_token=${live}`, live)],
      [403, await call('/v1/api-keys', token)],
      [404, await call('/v1/prompts/prm_01hzy3v7k0a4s9d8f7g6h5j4k3', live)],
      [404, await call('/v1/nothing', live)],
      [405, await call('/v1/me', live, { method: 'DELETE' })],
      [415, await call('/v1/prompts', live, { method: 'POST', body: 'x' })],
      [
        422,
        await call('/v1/prompts', live, {
          method: 'POST',
          body: '{}',
          headers: { 'Content-Type': 'application/json' },
        }),
      ],
    ];
    for (const [status, answer] of answers) {
      expect(answer.status).toBe(status);
      for (const name of ['limit', 'remaining', 'reset', 'policy']) {
        expect([status, name, answer.headers.get(`x-ratelimit-${name}`)]).toEqual([
          status,
          name,
          expect.any(String),
        ]);
      }
      member(answer.headers.get('ratelimit'));
      member(answer.headers.get('ratelimit-policy'));
    }
  });

  test('a call that is refused for its scope is not counted, and is told where it stands', async () => {
    const token = await tokenOf(made.scopes, 'prompts:read');
    const remaining = async (path: string) =>
      Number((await call(path, token)).headers.get('x-ratelimit-remaining'));
    const before = await remaining('/v1/prompts');
    expect(await remaining('/v1/api-keys')).toBe(before);
    expect(await remaining('/v1/prompts')).toBe(before - 1);
  });

  test('beyond the burst 429 says which limit, in which window, and how long to wait', async () => {
    const { live } = made.refusal.apiKeys;
    const answers = await Promise.all(Array.from({ length: 80 }, () => call('/v1/me', live)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(30 - 1); // all of one second, unless the machine was very slow
    for (const { headers, body } of refused) {
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body).toMatchObject({ code: 'rate_limited', status: 429, limit: 50, window: 'second' });
      expect(headers.get('x-ratelimit-policy')).toBe('50/second');
      expect(headers.get('x-ratelimit-remaining')).toBe('0');
      expect(headers.get('retry-after')).toBe('1');
      expect(member(headers.get('ratelimit'))).toEqual({ name: 'second', r: 0, t: 1 });
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await call('/v1/me', live)).status).toBe(200);
  });

  test('GET /v1/limits shows every bucket of the organization, and costs nothing', async () => {
    const { live } = made.methods.apiKeys;
    await call('/v1/me', live);
    const read = async () => (await call('/v1/limits', live)).body;
    await read();
    const { object, plan, buckets } = (await read()) as { object: string; plan: string; buckets: Bucket[] };
    expect({ object, plan }).toEqual({ object: 'limits', plan: 'pro' });
    expect(buckets.map(({ method, environment }) => `${method} ${environment}`).sort()).toEqual([
      'api_key live',
      'api_key test',
      'client_credentials live',
      'client_credentials test',
      'oauth_user live',
      'oauth_user test',
    ]);
    const bucket = buckets.find(({ method, environment }) => method === 'api_key' && environment === 'live');
    expect(bucket?.windows.map(({ window, limit, remaining }) => [window, limit, limit - remaining])).toEqual(
      [
        ['second', 50, expect.any(Number)],
        ['minute', 300, 1],
        ['day', 10_000, 1],
      ],
    );
    for (const { resetAt } of bucket?.windows ?? [])
      expect(Date.parse(resetAt)).toBeGreaterThan(Date.now() - 2_000);
  });

  test('/v1/limits answers when the limits are used up', async () => {
    const { live } = made.free.apiKeys;
    await Promise.all(Array.from({ length: 20 }, () => call('/v1/me', live)));
    expect((await call('/v1/limits', live)).status).toBe(200);
  });

  test('each method and environment has its own bucket; another key of the organization has not', async () => {
    const { live, test: sandbox } = made.methods.apiKeys;
    const token = await tokenOf(made.methods, 'organization:admin prompts:read');
    const { body: second } = await call('/v1/api-keys', token, {
      method: 'POST',
      body: JSON.stringify({ name: 'second', environment: 'live', scopes: ['prompts:read'] }),
      headers: { 'Content-Type': 'application/json' },
    });
    const remaining = async (credential: string) =>
      Number((await call('/v1/me', credential)).headers.get('x-ratelimit-remaining'));
    const before = await remaining(live);
    expect(await remaining(second['key'] as string)).toBe(before - 1);
    expect(await remaining(sandbox)).toBe(299);
    expect(await remaining(token)).toBe(298); // its second call
  });

  test('a lower limit of a key holds for it alone, and for the keys that it is rotated into', async () => {
    const token = await tokenOf(made.cap, 'organization:admin organization:read prompts:read');
    const json = (body: unknown) => ({
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    const { body: capped } = await call(
      '/v1/api-keys',
      token,
      json({ name: 'capped', environment: 'live', scopes: ['organization:read'], limits: { perMinute: 3 } }),
    );
    const key = capped['key'] as string;
    const first = await call('/v1/me', key);
    expect(first.headers.get('x-ratelimit-policy')).toBe('3/minute');
    await call('/v1/me', key);
    const rotated = await call(`/v1/api-keys/${capped['id']}/rotate`, key, { method: 'POST' });
    expect(rotated.status).toBe(201);
    for (const credential of [key, rotated.body['key'] as string]) {
      const { status, body } = await call('/v1/me', credential);
      expect({ status, limit: body['limit'], window: body['window'] }).toEqual({
        status: 429,
        limit: 3,
        window: 'minute',
      });
    }
    expect((await call('/v1/me', made.cap.apiKeys.live)).status).toBe(200);
    const { buckets } = (await call('/v1/limits', key)).body as { buckets: Bucket[] };
    expect(buckets.filter(({ credential }) => credential !== null)).toEqual([
      expect.objectContaining({
        credential: capped['id'],
        method: 'api_key',
        environment: 'live',
        windows: [expect.objectContaining({ window: 'minute', limit: 3, remaining: 0 })],
      }),
    ]);
  });

  test('failed authentications of an address are limited to 60 a minute; a right credential still passes', async () => {
    const wrong = await Promise.all(Array.from({ length: 70 }, () => call('/v1/me', 'pr_live_wrong')));
    const statuses = wrong.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(60);
    const refused = wrong.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: 'rate_limited', limit: 60, window: 'minute' });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('/v1/me', made.headers.apiKeys.test)).status).toBe(200);
  });
});

type Bucket = {
  method: string;
  environment: string;
  credential: string | null;
  windows: { window: string; limit: number; remaining: number; resetAt: string }[];
};
