import { type IncomingHttpHeaders, request } from 'node:http';
import type { ServerProcess } from './server-process.ts';

/** A GET to one process of several that serve one origin, as a load balancer sends it: `Host` says the origin, the port who. */
export const send = (
  server: Pick<ServerProcess, 'url' | 'port'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; ms: number; body: string }> =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      headers: { Host: new URL(server.url).host, ...headers },
    };
    request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          ms: performance.now() - startedMs,
          body,
        }),
      );
    })
      .on('error', reject)
      .end();
  });
