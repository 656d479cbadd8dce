import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import type { SendMail } from '../../src/accounts/mail.ts';

/** By default the library waits for minutes, in which whoever waits for the mail waits, too. */
const BOUNDS = {
  dnsTimeout: 5_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
};

/** Sends over SMTP, or, without `smtpUrl`, writes each mail to `dataDir/outbox` as an .eml file. */
export function createMailer(options: {
  smtpUrl: string | undefined;
  dataDir: string;
  from: string;
}): SendMail {
  const { smtpUrl } = options;
  /** As an object, an address is one address: of a text the library makes as many as it finds. */
  const messageOf = ({ to, ...mail }: Parameters<SendMail>[0]) => ({
    ...mail,
    from: options.from,
    to: { name: '', address: to },
  });
  if (smtpUrl) {
    const transport = nodemailer.createTransport({ url: smtpUrl, ...BOUNDS });
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
