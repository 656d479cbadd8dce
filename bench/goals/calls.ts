import { callWith, type Goal } from '../bench.ts';
import { load } from '../load.ts';
import { startBenchServer } from '../processes.ts';
import { clientCredentialsToken } from '../tokens.ts';

/** Goals 1 to 4 and 10: what a call costs, against a bare Koa route and against the stack that one would write first. */
export const calls: Goal = async ({ machine, report }) => {
  const { env, made, redisUrl } = machine;
  const withRedis = { ...env, REDIS_URL: redisUrl };
  const byKey = callWith(made.apiKeys.live);
  const koa = await startBenchServer('bench/servers/koa.ts');
  const bare = load(koa, byKey);

  const unlimited = await startBenchServer('bench/servers/unlimited.ts', env);
  await report.compare({
    name: '1: key, cached, no limits; over koa',
    goal: 0.8,
    a: load(unlimited, byKey),
    b: bare,
  });
  await unlimited.stop();

  const ours = await startBenchServer('src/server.ts', withRedis);
  const ourCalls = load(ours, byKey);
  await report.compare({
    name: '2: three windows in Redis, usage, log; over koa',
    goal: 0.5,
    a: ourCalls,
    b: bare,
  });
  const naive = await startBenchServer('bench/servers/naive.ts', withRedis);
  await report.compare({
    name: '2: the same; over the naive stack',
    goal: 8,
    a: ourCalls,
    b: load(naive, byKey),
  });
  await naive.stop();
  const byToken = callWith(await clientCredentialsToken(ours, made.apps.service));
  await report.compare({
    name: '4: access token; over a key',
    goal: 0.9,
    a: load(ours, byToken),
    b: ourCalls,
  });
  const p99Ms = (measured: { p99Ms: number }) => measured.p99Ms;
  await report.compare({ name: '10: p99 of koa; over ours', goal: 0.5, a: bare, b: ourCalls, read: p99Ms });
  report.note('10: ready on PostgreSQL', '< 1500 ms', `${Math.round(ours.readyMs)} ms`);
  await ours.stop();

  const alone = await startBenchServer('src/server.ts', env);
  const { ownMb, residentMb } = alone.memory();
  report.note(
    '10: memory at rest, PostgreSQL',
    '< 120 MB',
    `${ownMb.toFixed(0)} MB of its own, ${residentMb.toFixed(0)} MB with what it shares`,
  );
  await report.compare({
    name: '3: one process without Redis; over koa',
    goal: 0.6,
    a: load(alone, byKey),
    b: bare,
  });
  await alone.stop();
  await koa.stop();

  const embedded = await startBenchServer('src/server.ts', { DATA_DIR: `${machine.directory}/embedded` });
  await embedded.stop();
  const again = await startBenchServer('src/server.ts', { DATA_DIR: `${machine.directory}/embedded` });
  report.note('10: ready on the embedded database', '< 3000 ms', `${Math.round(again.readyMs)} ms`);
  await again.stop();
};
