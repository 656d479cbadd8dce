import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDnsResolve, type Resolve } from '../../adapters/http/resolve.ts';

/** A name server: `fast.test` has an IPv4 address, `nothing.test` none, and of `slow.test` nothing is ever heard. */
let server: Socket;
let asked: string[];
let resolve: Resolve;

beforeAll(async () => {
  asked = [];
  server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const name = nameIn(query);
    asked.push(name);
    if (name.endsWith('slow.test')) return;
    server.send(answerTo(query, name === 'fast.test' && isForIpv4(query)), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  resolve = createDnsResolve([`127.0.0.1:${server.address().port}`]);
});
afterAll(() => void server.close());

/** RFC 1035 §4.1.2: labels, each behind its length, from the 13th byte on. */
function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at]; at += (query[at] ?? 0) + 1) {
    labels.push(query.subarray(at + 1, at + 1 + (query[at] ?? 0)).toString());
  }
  return labels.join('.');
}
const endOfQuestion = (query: Buffer): number => query.indexOf(0, 12) + 5;
const isForIpv4 = (query: Buffer): boolean => query.readUInt16BE(endOfQuestion(query) - 4) === 1;

/** The question again, with one address of 192.0.2.7 behind it or none. */
function answerTo(query: Buffer, withAddress: boolean): Buffer {
  const head = Buffer.from(query.subarray(0, endOfQuestion(query)));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(withAddress ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
  return withAddress ? Buffer.concat([head, record]) : head;
}

test('a name gives its addresses; one without gives none', async () => {
  expect(await resolve('fast.test')).toEqual([{ address: '192.0.2.7', family: 4 }]);
  expect(await resolve('nothing.test')).toEqual([]);
});

test('RFC 6761 §6.3: localhost is loopback, and no server is asked', async () => {
  const before = asked.length;
  for (const name of ['localhost', 'app.localhost', 'LOCALHOST.']) {
    expect(await resolve(name)).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  }
  expect(asked).toHaveLength(before);
});

test('name servers that don’t answer hold up nobody else’s names, and are given up', async () => {
  const waiting = Array.from({ length: 100 }, (_, index) => resolve(`${index}.slow.test`));
  const failed = Promise.allSettled(waiting);
  const startedMs = performance.now();
  expect(await resolve('fast.test')).toHaveLength(1);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect((await failed).every(({ status }) => status === 'rejected')).toBe(true);
}, 30_000);
