import { availableParallelism } from 'node:os';
import { callWith, type Goal } from '../bench.ts';
import { load } from '../load.ts';
import { startBenchServer } from '../processes.ts';
import type { Side } from '../report.ts';

/** A core for each of two servers, one for Redis, one for the load. */
const CORES = 4;

/** Goal 9: two processes that share a Redis do nearly twice what one does. */
export const processes: Goal = async ({ machine, report }) => {
  if (availableParallelism() < CORES) {
    report.note(
      '9: two processes over one',
      '1.7',
      `left out: takes ${CORES} cores, here are ${availableParallelism()}`,
    );
    return;
  }
  const settings = { ...machine.env, REDIS_URL: machine.redisUrl };
  const byKey = callWith(machine.made.apiKeys.live);
  const [first, second] = [
    await startBenchServer('src/server.ts', settings, { core: 0 }),
    await startBenchServer('src/server.ts', settings, { core: 1 }),
  ];
  const one = load(first, byKey);
  await report.compare({
    name: '9: two processes over one',
    goal: 1.7,
    a: both(one, load(second, byKey)),
    b: one,
  });
  await Promise.all([first.stop(), second.stop()]);
};

const both = (a: Side, b: Side): Side => ({
  measure: async (seconds) => {
    const [x, y] = await Promise.all([a.measure(seconds), b.measure(seconds)]);
    return {
      perSecond: x.perSecond + y.perSecond,
      cpuMicros: (x.cpuMicros + y.cpuMicros) / 2,
      p99Ms: Math.max(x.p99Ms, y.p99Ms),
    };
  },
});
