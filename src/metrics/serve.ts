import { createServer, type Server } from 'node:http';
import type { Metrics } from './metrics.ts';

/** A server for `/metrics` alone, on a port of its own: what it tells is for the operator, not for the internet. */
export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    const isAsked = (request.method === 'GET' || request.method === 'HEAD') && request.url === '/metrics';
    if (!isAsked) {
      response.writeHead(404).end();
      return;
    }
    metrics.render().then(
      ({ body, contentType }) => response.writeHead(200, { 'Content-Type': contentType }).end(body),
      () => response.writeHead(500).end(),
    );
  });
}
