import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import type { SendMail } from '../../src/accounts/mail.ts';

/** By default the library waits for minutes, in which whoever waits for the mail waits, too. */
const ANSWER_WITHIN_MS = 10_000;

/** Sends over SMTP, or, without `smtpUrl`, writes each mail to `dataDir/outbox` as an .eml file. */
export function createMailer(options: {
  smtpUrl: string | undefined;
  dataDir: string;
  from: string;
  /** Of the mail server, to each step. */
  answerWithinMs?: number;
}): SendMail {
  const { smtpUrl } = options;
  /** As an object, an address is one address: of a text the library makes as many as it finds. */
  const messageOf = ({ to, ...mail }: Parameters<SendMail>[0]) => ({
    ...mail,
    from: options.from,
    to: { name: '', address: to },
  });
  if (smtpUrl) {
    const ms = options.answerWithinMs ?? ANSWER_WITHIN_MS;
    const transport = nodemailer.createTransport({
      url: smtpUrl,
      dnsTimeout: ms,
      connectionTimeout: ms,
      greetingTimeout: ms,
      socketTimeout: ms,
    });
    return async (mail) => {
      await transport.sendMail(messageOf(mail));
    };
  }
  const outbox = path.join(options.dataDir, 'outbox');
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return async (mail) => {
    const sent = await transport.sendMail(messageOf(mail));
    mkdirSync(outbox, { recursive: true, mode: 0o700 });
    const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomBytes(4).toString('hex')}.eml`;
    await writeFile(path.join(outbox, name), sent.message as Buffer, { mode: 0o600 });
  };
}
