import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshDataDir } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/needs.ts';
import { send } from '../support/node-request.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

/** What a request may lose to a Redis that doesn't answer, and what this machine adds when it is busy. */
const BOUND_MS = 110;
const NOISE_MS = 150;

type Answer = Awaited<ReturnType<typeof send>>;

const countOf = (answers: Answer[], wanted: number): number =>
  answers.filter(({ status }) => status === wanted).length;

describeWith('redis', 'When Redis fails under a running server', () => {
  let redis: RedisServer;
  let admin: Redis;
  let server: ServerProcess;
  let metricsPort: number;
  /** Each test uses up a key of its own: its limit of 40 a minute is 20 while Redis is down. */
  const keys: string[] = [];
  const key = (): string => keys.pop() as string;

  beforeAll(async () => {
    redis = await startRedis('--maxmemory-policy', 'noeviction');
    admin = new Redis(redis.url, { retryStrategy: () => 100, maxRetriesPerRequest: null });
    admin.on('error', () => {}); // it is killed on purpose
    metricsPort = await freePort();
    const env = {
      DATA_DIR: freshDataDir().dataDir,
      REDIS_URL: redis.url,
      METRICS_PORT: String(metricsPort),
      LOG_LEVEL: 'silent',
    };
    for (let i = 0; i < 6; i++) {
      const { apiKeys } = await bootstrapDatabase(
        env,
        '--plan',
        'free',
        '--per-second',
        '5000',
        '--per-minute',
        '40',
      );
      keys.push(apiKeys.live);
    }
    server = await startServer(env);
  }, 120_000);
  afterAll(async () => {
    redis?.thaw();
    admin?.disconnect();
    await server?.stop();
    await redis?.stop();
  });

  const me = (credential: string): Promise<Answer> =>
    send(server, '/v1/me', { Authorization: `Bearer ${credential}` });
  const many = (credential: string, count: number): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, () => me(credential)));
  const limitsHealth = async (): Promise<unknown> =>
    (JSON.parse((await send(server, '/readyz')).body) as { limits: unknown }).limits;
  const degradedMetric = async (): Promise<string | undefined> => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return /^promptreports_limits_degraded (\d)$/m.exec(text)?.[1];
  };
  const untilHealthIs = async (wanted: string): Promise<void> => {
    const until = Date.now() + 15_000;
    while ((await limitsHealth()) !== wanted) {
      if (Date.now() > until) throw new Error(`/readyz never said ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  /** No 5xx and no wait from the first request on; then half the limit, and both probes say so. */
  const expectHalf = async (credential: string): Promise<void> => {
    const answers: Answer[] = [];
    for (let i = 0; i < 30; i++) answers.push(await me(credential));
    expect(countOf(answers, 200)).toBe(20);
    expect(countOf(answers, 429)).toBe(10);
    expect(answers[0]?.headers['x-ratelimit-policy']).toBe('20/minute');
    for (const { ms } of answers) expect(ms).toBeLessThan(BOUND_MS + NOISE_MS);
    expect(answers.filter(({ ms }) => ms > BOUND_MS).length).toBeLessThan(10); // the breaker opens, and nobody waits
    expect(await limitsHealth()).toBe('degraded');
    expect(await degradedMetric()).toBe('1');
  };

  const expectWhole = async (credential: string): Promise<void> => {
    await untilHealthIs('shared');
    expect(await degradedMetric()).toBe('0');
    const answers = await many(credential, 60);
    expect(countOf(answers, 200)).toBe(40);
  };

  afterEach(() => untilHealthIs('shared'));

  test('killed: decided here at half, and shared again by itself when it is back', async () => {
    const credential = key();
    expect((await me(credential)).headers['x-ratelimit-policy']).toBe('40/minute');
    await redis.kill();
    await expectHalf(credential);
    await redis.start();
    await expectWhole(key());
  }, 60_000);

  test('frozen: nobody waits longer than a tenth of a second, also of many at once', async () => {
    const credential = key();
    await me(credential);
    redis.freeze();
    const first = await many(credential, 20);
    for (const { status, ms } of first) {
      expect(status).toBeLessThan(500);
      expect(ms).toBeLessThan(BOUND_MS + NOISE_MS);
    }
    const rest = await many(credential, 30);
    expect(countOf([...first, ...rest], 200)).toBe(20);
    expect(await limitsHealth()).toBe('degraded');
    redis.thaw();
    await untilHealthIs('shared');
  }, 60_000);

  test('full: it refuses writes, and that is no error of ours', async () => {
    await untilHealthIs('shared');
    await admin.config('SET', 'maxmemory', '1'); // less than it holds: nothing more has room
    await expectHalf(key());
    await admin.config('SET', 'maxmemory', '0');
    await untilHealthIs('shared');
  }, 60_000);

  test('flushed: no error, and the day is counted on from what was recorded', async () => {
    const credential = key();
    await many(credential, 30);
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // usage is written once a second
    await admin.flushall();
    await admin.script('FLUSH');
    expect((await me(credential)).status).toBe(200);
    const day = async () => {
      const { body } = await send(server, '/v1/limits', { Authorization: `Bearer ${credential}` });
      const { buckets } = JSON.parse(body) as { buckets: Bucket[] };
      const bucket = buckets.find(
        ({ method, environment }) => method === 'api_key' && environment === 'live',
      );
      const window = bucket?.windows.find(({ window: name }) => name === 'day');
      return window ? window.limit - window.remaining : undefined;
    };
    const until = Date.now() + 5_000;
    while ((await day()) !== 30 && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await day()).toBe(30);
  }, 60_000);
});

type Bucket = {
  method: string;
  environment: string;
  windows: { window: string; limit: number; remaining: number }[];
};

describe('Without Redis', () => {
  test('a process that starts anew counts the day on, from what was recorded: nobody gets it twice', async () => {
    const env = { DATA_DIR: freshDataDir().dataDir, LOG_LEVEL: 'silent' };
    const { apiKeys } = await bootstrapDatabase(
      env,
      '--plan',
      'free',
      '--per-second',
      '5000',
      '--per-minute',
      '5000',
      '--per-day',
      '25',
    );
    let server = await startServer(env);
    const ask = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          send(server, '/v1/me', { Authorization: `Bearer ${apiKeys.live}` }),
        ),
      );
    expect((await ask(20)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    await server.stop();
    server = await startServer(env);
    const answers = await ask(10);
    expect(countOf(answers, 200)).toBe(5);
    expect(answers.find(({ status }) => status === 429)?.headers['x-ratelimit-policy']).toBe('25/day');
    await server.stop();
  }, 60_000);
});
