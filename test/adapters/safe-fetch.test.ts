import { getEventListeners, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSafeFetch } from '../../adapters/http/safe-fetch.ts';
import type { SafeFetchOptions } from '../../src/kernel/safe-fetch.ts';

const BOUNDS: SafeFetchOptions = { timeoutMs: 2_000, maxBytes: 1_000 };

let server: Server;
let answer: RequestListener;
let seen: { method: string | undefined; host: string | undefined; headers: NodeJS.Dict<string | string[]> }[];
let port: number;

beforeEach(async () => {
  seen = [];
  answer = (_req, res) => res.end('hello');
  server = createServer((req, res) => {
    seen.push({ method: req.method, host: req.headers.host, headers: req.headers });
    answer(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const production = createSafeFetch({ allowLoopback: false });
const development = createSafeFetch({ allowLoopback: true });
const here = (path = '/') => `http://127.0.0.1:${port}${path}`;

const failureOf = (fetching: Promise<unknown>): Promise<unknown> =>
  fetching.then(
    () => 'answered',
    (error: { reason?: unknown }) => error.reason ?? error,
  );

describe('SSRF: a URL of a stranger', () => {
  test.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0177.0.0.1/',
    'https://0x7f.0.0.1/',
    'https://2130706433/',
    'https://0/',
    'https://１２７.0.0.1/',
    'https://127。0。0。1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/',
    'https://10.0.0.8/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.100.100.200/',
    'https://[fe80::1]/',
    'https://localhost/',
  ])('%s is refused', async (url) => {
    expect(await failureOf(production(url, BOUNDS))).toBe('refused');
  });

  test.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_PING',
    'data:text/plain,x',
    'https://user:password@example.com/',
    'https://user@example.com/',
    '//example.com/',
    'example.com',
    '',
  ])('%s is refused before any name is looked up', async (url) => {
    let lookups = 0;
    const fetch = createSafeFetch({
      allowLoopback: false,
      resolve: () => Promise.reject(new Error(`looked up ${++lookups}`)),
    });
    expect(await failureOf(fetch(url, BOUNDS))).toBe('refused');
    expect(lookups).toBe(0);
  });

  test.each([
    ['127.0.0.1', 4],
    ['10.0.0.8', 4],
    ['169.254.169.254', 4],
    ['::1', 6],
    ['::ffff:127.0.0.1', 6],
    ['fd00::1', 6],
  ])('a name that leads to %s is refused', async (address, family) => {
    const fetch = createSafeFetch({
      allowLoopback: false,
      resolve: () => Promise.resolve([{ address, family }]),
    });
    expect(await failureOf(fetch('https://internal.example/', BOUNDS))).toBe('refused');
  });

  test('a name with one public and one internal address is refused', async () => {
    const fetch = createSafeFetch({
      allowLoopback: false,
      resolve: () =>
        Promise.resolve([
          { address: '1.1.1.1', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    expect(await failureOf(fetch('https://both.example/', BOUNDS))).toBe('refused');
  });

  test('DNS rebinding: the name is asked for once, and the address that was checked is the one connected to', async () => {
    const answers = ['127.0.0.1', '169.254.169.254', '10.0.0.8'];
    let lookups = 0;
    const fetch = createSafeFetch({
      allowLoopback: true,
      resolve: () => Promise.resolve([{ address: answers[lookups++] ?? '10.0.0.9', family: 4 }]),
    });
    const { status } = await fetch(`http://rebinding.example:${port}/`, BOUNDS);
    expect({ status, lookups }).toEqual({ status: 200, lookups: 1 });
    expect(seen.map(({ host }) => host)).toEqual([`rebinding.example:${port}`]);
    // The next fetch is another request, and is checked anew.
    expect(await failureOf(fetch(`http://rebinding.example:${port}/`, BOUNDS))).toBe('refused');
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    answer = (_req, res) => res.writeHead(status, { Location: here('/inside') }).end();
    const { status: got, headers } = await development(here(), BOUNDS);
    expect({ got, location: headers['location'], requests: seen.length }).toEqual({
      got: status,
      location: here('/inside'),
      requests: 1,
    });
  });
});

describe('bounds', () => {
  test('an endless body ends at maxBytes', async () => {
    answer = (_req, res) => {
      const write = (): void => {
        while (!res.destroyed && res.write('x'.repeat(1_024)));
        res.once('drain', write);
      };
      write();
    };
    expect(await failureOf(development(here(), BOUNDS))).toBe('too_large');
    const cut = await development(here(), { ...BOUNDS, longBody: 'cut' });
    expect(cut).toMatchObject({ status: 200, body: Buffer.from('x'.repeat(1_000)) });
  });

  test('a body of exactly maxBytes is whole', async () => {
    answer = (_req, res) => res.end('y'.repeat(1_000));
    expect((await development(here(), BOUNDS)).body.length).toBe(1_000);
  });

  test.each([
    ['never answers', () => {}],
    ['stops in mid-body', (_req, res) => void res.writeHead(200).write('half')],
  ] satisfies [string, RequestListener][])('a server that %s ends at timeoutMs', async (_, listener) => {
    answer = listener;
    expect(await failureOf(development(here(), { ...BOUNDS, timeoutMs: 100 }))).toBe('timeout');
  });

  test('a server that switches to another protocol has answered, and holds nothing', async () => {
    answer = (req) => {
      const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      req.socket.write(upgrade);
    };
    const got = await development(here(), BOUNDS);
    expect(got).toMatchObject({ status: 101, body: Buffer.alloc(0) });
  });

  test('a server that sends interim answers for ever ends at timeoutMs', async () => {
    answer = (_req, res) => {
      const more = setInterval(() => res.writeProcessing(), 5);
      res.on('close', () => clearInterval(more));
    };
    expect(await failureOf(development(here(), { ...BOUNDS, timeoutMs: 200 }))).toBe('timeout');
  });

  test('a signal ends it, however late or early, and is left as it was', async () => {
    const stopping = new AbortController();
    await development(here(), { ...BOUNDS, signal: stopping.signal });
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
    answer = () => stopping.abort();
    const options = { ...BOUNDS, signal: stopping.signal };
    expect(await failureOf(development(here(), options))).toBe('unreachable');
    expect(await failureOf(development(here(), options))).toBe('unreachable');
    expect(seen).toHaveLength(2);
  });

  test('a name server that never answers ends at timeoutMs', async () => {
    const fetch = createSafeFetch({ allowLoopback: false, resolve: () => new Promise(() => {}) });
    expect(await failureOf(fetch('https://slow.example/', { ...BOUNDS, timeoutMs: 100 }))).toBe('timeout');
  });

  test('a connection that is reset and a name that does not exist are unreachable', async () => {
    answer = (req) => req.socket.destroy();
    expect(await failureOf(development(here(), BOUNDS))).toBe('unreachable');
    const fetch = createSafeFetch({
      allowLoopback: false,
      resolve: () => Promise.reject(new Error('ENOTFOUND')),
    });
    expect(await failureOf(fetch('https://nowhere.example/', BOUNDS))).toBe('unreachable');
  });
});

test('the request arrives as it was given, the answer comes back as it was sent', async () => {
  let body = '';
  answer = (req, res) => {
    req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    req.on('end', () => res.writeHead(202, { 'X-One': ['a', 'b'] }).end('thanks'));
  };
  const got = await development(here('/hook?x=1'), {
    ...BOUNDS,
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'webhook-id': 'msg_1' },
    body: '{"é":1}',
  });
  expect(got).toMatchObject({ status: 202, headers: { 'x-one': 'a, b' }, body: Buffer.from('thanks') });
  expect(body).toBe('{"é":1}');
  expect(seen[0]).toMatchObject({
    method: 'POST',
    headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1', 'accept-encoding': 'identity' },
  });
});

test('where loopback is allowed, the rest of the network stays closed, and plain HTTP goes no further', async () => {
  for (const url of [
    'http://10.0.0.8/',
    'https://192.168.1.1/',
    'http://169.254.169.254/',
    'http://1.1.1.1/',
  ]) {
    expect(await failureOf(development(url, BOUNDS))).toBe('refused');
  }
});
