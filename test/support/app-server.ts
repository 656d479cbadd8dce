import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The server of somebody's app: all that tests need of it is where people's browsers were sent. */
export type AppServer = {
  redirectUri: string;
  /** The URL of the newest visit to the callback; undefined before the first and after `forget`. */
  visited(): URL | undefined;
  forget(): void;
  close(): Promise<void>;
};

export async function startAppServer(): Promise<AppServer> {
  let visited: URL | undefined;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/callback') visited = url;
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>The app</title><h1>Back at the app</h1>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    redirectUri: `http://localhost:${(server.address() as AddressInfo).port}/callback`,
    visited: () => visited,
    forget: () => {
      visited = undefined;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
