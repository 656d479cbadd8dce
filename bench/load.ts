import autocannon from 'autocannon';
import type { BenchServer } from './processes.ts';
import type { Side } from './report.ts';

export type Load = {
  path: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  /** Several: one after the other. */
  body?: string | readonly string[];
};

/** What a server did under load. `cpuMicros`: processor time a request, 0 where it isn't known. `p99Ms`: of all answers. */
export type Measured = { perSecond: number; cpuMicros: number; p99Ms: number };

export const CONNECTIONS = 32;

/** Keeps 32 connections busy. Throws when an answer isn't 2xx: a refused request is cheap. */
export const load = (server: BenchServer, what: Load): Side => ({
  measure: async (seconds) => {
    const cpuBefore = server.cpuSeconds();
    const result = await autocannon({
      url: server.url + what.path,
      connections: CONNECTIONS,
      duration: seconds,
      ...(what.method ? { method: what.method } : {}),
      ...(what.headers ? { headers: what.headers } : {}),
      ...bodies(what.body),
    });
    const cpu = server.cpuSeconds() - cpuBefore;
    if (result.non2xx > 0 || result.errors > 0)
      throw new Error(`${what.path}: ${result.non2xx} answers were not 2xx, ${result.errors} failed`);
    return {
      perSecond: result.requests.total / result.duration,
      cpuMicros: (cpu / result.requests.total) * 1e6,
      p99Ms: result.latency.p99,
    };
  },
});

/** Of several, each request of each connection takes the next. */
function bodies(body: Load['body']): Partial<autocannon.Options> {
  if (body === undefined || typeof body === 'string') return body === undefined ? {} : { body };
  let next = 0;
  return {
    requests: [
      { setupRequest: (request) => ({ ...request, body: body[next++ % body.length] }) },
    ] as NonNullable<autocannon.Options['requests']>,
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
