import { appendFileSync } from 'node:fs';
import { type Load, type Measured, measure, median, pairs } from './load.ts';
import { openMachine } from './machine.ts';
import { type BenchServer, startBenchServer } from './processes.ts';

/**
 * `npm run bench`: the goals as ratios, both sides measured in turn in one run, so that what else the machine does hits
 * both alike. `npm run bench -- --short` takes a second a side and two pairs, and says whether it runs, not how fast.
 */
const short = process.argv.includes('--short');
const SECONDS = short ? 1 : 4;
const PAIRS = short ? 2 : 5;
const WARM_UP_SECONDS = short ? 1 : 8;

const machine = await openMachine();
const { env, made, redisUrl } = machine;
const shared = { ...env, REDIS_URL: redisUrl };
const byKey: Load = { path: '/v1/me', headers: { authorization: `Bearer ${made.apiKeys.live}` } };
const out: string[] = [];
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
  out.push(line);
};

async function compare(
  name: string,
  goal: number,
  [a, loadOfA]: [BenchServer, Load],
  [b, loadOfB]: [BenchServer, Load],
  read: (measured: Measured) => number = ({ perSecond }) => perSecond,
): Promise<void> {
  await measure(a, loadOfA, WARM_UP_SECONDS);
  await measure(b, loadOfB, WARM_UP_SECONDS);
  const measured = await pairs(
    () => measure(a, loadOfA, SECONDS),
    () => measure(b, loadOfB, SECONDS),
    PAIRS,
  );
  const ratio = median(measured.map((pair) => read(pair.a) / read(pair.b)));
  const sides = (['a', 'b'] as const).map((side) => {
    const of = measured.map((pair) => pair[side]);
    const figure = (pick: (one: Measured) => number) => median(of.map(pick)).toFixed(1);
    return `${figure((m) => m.perSecond)}/s, ${figure((m) => m.cpuMicros)} µs CPU, p99 ${figure((m) => m.p99Ms)} ms`;
  });
  say(`| ${name} | ${goal} | ${ratio.toFixed(2)} | ${sides[0]} | ${sides[1]} |`);
}

try {
  const koa = await startBenchServer('bench/servers/koa.ts');
  const accessToken = async (server: BenchServer): Promise<Load> => {
    const { service } = made.apps;
    const answer = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: service.clientId,
        client_secret: service.clientSecret,
        scope: 'prompts:read',
      }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    return { path: '/v1/me', headers: { authorization: `Bearer ${token}` } };
  };

  say('| goal | at least | ratio | ours | against |');
  say('|---|---|---|---|---|');
  const unlimited = await startBenchServer('bench/servers/unlimited.ts', env);
  await compare('1: key, cached, no limits, against koa', 0.8, [unlimited, byKey], [koa, byKey]);
  await unlimited.stop();

  const ours = await startBenchServer('src/server.ts', shared);
  await compare('2: three windows in Redis, usage and log, against koa', 0.5, [ours, byKey], [koa, byKey]);
  const naive = await startBenchServer('bench/servers/naive.ts', shared);
  await compare('2: the same, against the naive stack', 8, [ours, byKey], [naive, byKey]);
  await naive.stop();
  const byToken = await accessToken(ours);
  await compare('4: access token, against a key', 0.9, [ours, byToken], [ours, byKey]);
  await compare('10: p99 of koa over ours', 0.5, [koa, byKey], [ours, byKey], ({ p99Ms }) => p99Ms);
  say(`| 10: ready on PostgreSQL, idle memory | < 1500 ms, < 120 MB | ${Math.round(ours.readyMs)} ms | | |`);
  await ours.stop();

  const alone = await startBenchServer('src/server.ts', env);
  say(`| 10: memory at rest | < 120 MB | ${Math.round(alone.memory() / 1e6)} MB | | |`);
  await compare('3: in one process, without Redis, against koa', 0.6, [alone, byKey], [koa, byKey]);
  await alone.stop();
  await koa.stop();
} finally {
  await machine.close();
}
if (process.env['BENCH_OUT']) appendFileSync(process.env['BENCH_OUT'], `${out.join('\n')}\n`);
process.exit(0);
