import { Agent, request } from 'node:http';
import type { BenchServer } from './processes.ts';
import type { Side } from './report.ts';

type Form = Record<string, string>;

/**
 * Refreshes without a pause, each chain with the refresh token that its last answer gave. `path`: of the token endpoint;
 * `forms`: what begins each chain.
 */
export function refreshLoad(server: BenchServer, path: string, forms: readonly Form[]): Side {
  const agent = new Agent({ keepAlive: true, maxSockets: forms.length });
  const chains = forms.map((form) => ({ ...form }));

  const refresh = (chain: Form): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, server.url),
        { agent, method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () => {
            if (answer.statusCode !== 200) return reject(new Error(`${answer.statusCode} ${text}`));
            chain['refresh_token'] = (JSON.parse(text) as { refresh_token: string }).refresh_token;
            resolve();
          });
        },
      );
      sent.on('error', reject);
      sent.end(new URLSearchParams(chain).toString());
    });

  return {
    measure: async (seconds) => {
      const cpuBefore = server.cpuSeconds();
      const startedMs = performance.now();
      const took: number[] = [];
      await Promise.all(
        chains.map(async (chain) => {
          for (let atMs = startedMs; atMs - startedMs < seconds * 1000; ) {
            await refresh(chain);
            took.push(performance.now() - atMs);
            atMs = performance.now();
          }
        }),
      );
      const elapsed = (performance.now() - startedMs) / 1000;
      took.sort((a, b) => a - b);
      return {
        perSecond: took.length / elapsed,
        cpuMicros: ((server.cpuSeconds() - cpuBefore) / took.length) * 1e6,
        p99Ms: took[Math.floor(took.length * 0.99)] ?? 0,
      };
    },
  };
}
