import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import Koa, { type Middleware } from 'koa';
import type { Config } from '../../config/config.ts';
import { httpsOnly } from '../../src/http/https-only.ts';
import { places } from '../../src/http/places.ts';
import { renderErrors } from '../../src/http/problem.ts';
import { checkRequest, prepareApp, requestContext } from '../../src/http/request.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Logger } from '../../src/kernel/log.ts';

export type TestConfig = Pick<Config, 'apiUrl' | 'webUrl' | 'production' | 'trustedProxies'>;

/** A running app: our middleware in its order, and what the test puts behind it. */
export type TestApp = {
  url: string;
  port: number;
  config: TestConfig;
  /** Everything that was logged, as JSON. */
  log(): string;
  lines(): Record<string, unknown>[];
  close(): Promise<void>;
};

export async function startApp(
  inner: (config: TestConfig, logger: Logger) => Middleware,
  options: Partial<TestConfig> & { withPlaces?: boolean } = {},
): Promise<TestApp> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const { withPlaces = false, ...overrides } = options;
  const config: TestConfig = {
    apiUrl: url,
    webUrl: url,
    production: false,
    trustedProxies: [],
    ...overrides,
  };
  const lines: Record<string, unknown>[] = [];
  const write = (entry: object, message: string) => void lines.push({ ...entry, message });
  const logger = {
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: () => logger,
  } as unknown as Logger;

  const app = new Koa();
  prepareApp(app, config, logger);
  app.use(requestContext({ logger, clock: systemClock }));
  app.use(
    renderErrors({
      ...config,
      logger,
      renderPage: (_ctx, problem) => `<!doctype html><title>${problem.title}</title>${problem.code}`,
    }),
  );
  app.use(checkRequest(config));
  app.use(httpsOnly(config));
  if (withPlaces) app.use(places());
  app.use(inner(config, logger));
  const answer = app.callback();
  server.on('request', (req, res) => void answer(req, res));

  return {
    url,
    port,
    config,
    log: () => JSON.stringify(lines),
    lines: () => lines,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type RawAnswer = { status: number; headers: Map<string, string>; body: string };

/**
 * Sends bytes as they stand, for what no HTTP client would send: `head` is the request line and headers, each on a line of
 * its own. Resolves with the answer once the server closes the connection.
 */
export async function sendRaw(port: number, head: string, body: string | Buffer = ''): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {}); // a reset after the answer is the server's right
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const lines = head
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1');
  socket.write(body);
  await closed;
  const [top = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  const [statusLine = '', ...headerLines] = top.split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(
      headerLines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    ),
    body: rest.join('\r\n\r\n'),
  };
}
