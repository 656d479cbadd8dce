import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createPatientServer, type PatientServer } from '../../src/http/patient-server.ts';

const PATIENCE = { headersMs: 300, requestMs: 600, silenceMs: 500, idleMs: 60_000 };

let patient: PatientServer;
let port: number;

async function start(handle: Parameters<typeof createPatientServer>[0]): Promise<void> {
  patient = createPatientServer(handle, PATIENCE);
  patient.server.listen(0, '127.0.0.1');
  await once(patient.server, 'listening');
  port = (patient.server.address() as AddressInfo).port;
}

afterEach(() => {
  patient.server.closeAllConnections();
  patient.server.close();
});

/** A connection, and all that came over it until it was closed. */
function open(): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {}); // a reset is the server's right
  return { socket, received: once(socket, 'close').then(() => Buffer.concat(chunks).toString()) };
}

/** Sends a piece every 50 ms until the connection ends. */
function dribble(socket: Socket, piece: (index: number) => string): void {
  let index = 0;
  const timer = setInterval(() => socket.writable && socket.write(piece(index++)), 50);
  socket.once('close', () => clearInterval(timer));
}

/** Where the client is still sending, the reset of its connection may overtake the answer. */
const TOLD_OR_RESET = /^(HTTP\/1.1 408 |$)/;

describe('Slow clients', () => {
  const readAll: Parameters<typeof createPatientServer>[0] = (req, res) => {
    req.resume().on('end', () => res.end('done'));
  };

  test('who sends headers for ever is told so (408) and cut off', async () => {
    await start(readAll);
    const { socket, received } = open();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    dribble(socket, (index) => `X-${index}: a\r\n`);
    expect(await received).toMatch(TOLD_OR_RESET);
  });

  test('who sends a body for ever is told so (408) and cut off', async () => {
    await start(readAll);
    const { socket, received } = open();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    dribble(socket, () => 'a');
    expect(await received).toMatch(TOLD_OR_RESET);
  });

  test('who reads nothing of a long answer is cut off', async () => {
    await start((_req, res) => void res.end(Buffer.alloc(64 * 1024 * 1024)));
    const { socket } = open();
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [accepted] = (await once(patient.server, 'connection')) as [Socket];
    await once(accepted, 'close');
    expect(socket.bytesRead).toBeLessThan(64 * 1024 * 1024);
  });

  test('a hundred of them keep nobody else waiting', async () => {
    await start(readAll);
    for (let i = 0; i < 100; i++)
      open().socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('done');
  });
});

describe('A server that is told to stop', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterEach(() => agent.destroy());

  const ask = (path = '/') =>
    new Promise<{ status: number; connection: string | undefined; body: string }>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, agent }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, connection: res.headers.connection, body }),
        );
        res.on('error', reject);
      })
        .on('error', reject)
        .end();
    });

  test('finishes what is in hand, answers what is on its way, and sends clients elsewhere', async () => {
    let finish = () => {};
    await start((req, res) => {
      if (req.url === '/slow') finish = () => void res.end('slow');
      else res.end('quick');
    });
    expect((await ask()).connection).toBe('keep-alive');
    const slow = ask('/slow');
    await wait(50);
    const drained = patient.drain({ lameMs: 200, forceMs: 5_000 });
    finish();
    expect(await slow).toMatchObject({ body: 'slow', connection: 'close' });
    expect(await ask()).toMatchObject({ body: 'quick', connection: 'close' }); // a new connection, still served
    await drained;
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('does not wait for who never ends', async () => {
    await start(() => {});
    const never = ask();
    const failed = never.catch((error: unknown) => error);
    await wait(50);
    const startedMs = performance.now();
    await patient.drain({ lameMs: 0, forceMs: 200 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await failed).toMatchObject({ code: 'ECONNRESET' });
  });
});
