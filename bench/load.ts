import autocannon from 'autocannon';
import type { BenchServer } from './processes.ts';

export type Load = {
  path: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
};

/** What a server did under load. `cpuMicros`: processor time a request. `p99Ms`: of all answers. */
export type Measured = { perSecond: number; cpuMicros: number; p99Ms: number };

const CONNECTIONS = 32;

/** Keeps 32 connections busy for so many seconds. Throws when an answer isn't 2xx: a refused request is cheap. */
export async function measure(
  server: BenchServer,
  { path, ...load }: Load,
  seconds: number,
): Promise<Measured> {
  const cpuBefore = server.cpuSeconds();
  const result = await autocannon({
    url: server.url + path,
    connections: CONNECTIONS,
    duration: seconds,
    ...load,
  });
  const cpu = server.cpuSeconds() - cpuBefore;
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${path}: ${result.non2xx} answers were not 2xx, ${result.errors} failed`);
  return {
    perSecond: result.requests.total / result.duration,
    cpuMicros: (cpu / result.requests.total) * 1e6,
    p99Ms: result.latency.p99,
  };
}

/** The same server, until its code is compiled and its caches are full. */
export const warmUp = (server: BenchServer, load: Load, seconds: number): Promise<Measured> =>
  measure(server, load, seconds);

/** Both in turn, so that what else the machine does hits both alike. */
export async function pairs(
  a: () => Promise<Measured>,
  b: () => Promise<Measured>,
  count: number,
): Promise<{ a: Measured; b: Measured }[]> {
  const measured: { a: Measured; b: Measured }[] = [];
  for (let i = 0; i < count; i++) measured.push({ a: await a(), b: await b() });
  return measured;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
