import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createMailer } from '../../adapters/mail/mailer.ts';

let server: Server;
let smtpUrl: string;
let received: { from: string; to: string; data: string[] }[];

/** A mail server that knows every mailbox but those that begin with "no". */
beforeEach(async () => {
  received = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let mail = { from: '', to: '', data: [] as string[] };
    let inData = false;
    say('220 mail.example.com');
    createInterface({ input: socket }).on('line', (line) => {
      if (inData) {
        if (line !== '.') return void mail.data.push(line);
        inData = false;
        received.push(mail);
        mail = { from: '', to: '', data: [] };
        return say('250 taken');
      }
      const address = /<(.*)>/.exec(line)?.[1] ?? '';
      if (line.startsWith('MAIL FROM')) mail.from = address;
      if (line.startsWith('RCPT TO')) {
        if (address.startsWith('no')) return say('550 no such mailbox');
        mail.to = address;
      }
      if (line === 'DATA') {
        inData = true;
        return say('354 go on');
      }
      say(line === 'QUIT' ? '221 bye' : '250 ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  smtpUrl = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
});

const mailer = () =>
  createMailer({ smtpUrl, dataDir: '', from: 'PromptReports <auth@example.com>', answerWithinMs: 1_000 });

test('hands a mail to the server, under the Message-ID that it is to have', async () => {
  const mail = {
    to: 'ada@example.com',
    subject: 'Hello',
    text: 'Good morning.',
    messageId: '<alr_1.usr_1@example.com>',
  };
  await mailer()(mail);
  expect(received).toMatchObject([{ from: 'auth@example.com', to: 'ada@example.com' }]);
  expect(received[0]?.data).toEqual(
    expect.arrayContaining(['Subject: Hello', 'Message-ID: <alr_1.usr_1@example.com>', 'Good morning.']),
  );
});

test('rejects where the server knows no such mailbox', async () => {
  await expect(mailer()({ to: 'nobody@example.com', subject: 'Hello', text: '.' })).rejects.toThrow('550');
  expect(received).toEqual([]);
});

test('lets no address or subject add headers or readers', async () => {
  const mail = {
    to: 'ada@example.com\r\nBcc: eve@example.com',
    subject: 'Hello\r\nBcc: eve@example.com',
    text: '.',
  };
  await mailer()(mail).catch(() => {});
  expect(received.every(({ to }) => to !== 'eve@example.com')).toBe(true);
  expect(received.flatMap(({ data }) => data).filter((line) => /^bcc:/i.test(line))).toEqual([]);
});

test('gives up on a server that says nothing', async () => {
  server.removeAllListeners('connection').on('connection', () => {});
  const begunMs = performance.now();
  // The library has two clocks for it, which end at the same time.
  await expect(mailer()({ to: 'ada@example.com', subject: 'Hello', text: '.' })).rejects.toThrow(
    /^(?:Greeting never received|Timeout)$/,
  );
  expect(performance.now() - begunMs).toBeLessThan(3_000);
});
