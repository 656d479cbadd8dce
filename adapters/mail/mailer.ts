import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import type { SendMail } from '../../src/accounts/mail.ts';

/** Sends over SMTP, or, without `smtpUrl`, writes each mail to `dataDir/outbox` as an .eml file. */
export function createMailer(options: {
  smtpUrl: string | undefined;
  dataDir: string;
  from: string;
}): SendMail {
  const { smtpUrl, from } = options;
  if (smtpUrl) {
    const transport = nodemailer.createTransport(smtpUrl);
    return async ({ to, subject, text }) => {
      await transport.sendMail({ from, to, subject, text });
    };
  }
  const outbox = path.join(options.dataDir, 'outbox');
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return async ({ to, subject, text }) => {
    const sent = await transport.sendMail({ from, to, subject, text });
    mkdirSync(outbox, { recursive: true, mode: 0o700 });
    const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomBytes(4).toString('hex')}.eml`;
    await writeFile(path.join(outbox, name), sent.message as Buffer, { mode: 0o600 });
  };
}
