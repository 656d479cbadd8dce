import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import nodemailer from 'nodemailer';
import { temporaryFolder } from './harness.ts';
import { latestMailTo, mailsTo } from './mailbox.ts';

const LINK = `https://example.com/reset?token=${'a'.repeat(80)}&next=%2Fconsole`;

describe('the mailbox', () => {
  const dataDir = temporaryFolder('mail');
  let count = 0;
  const send = async (mail: { to: string; subject: string; text: string; html?: string }): Promise<void> => {
    const transport = nodemailer.createTransport({ streamTransport: true, buffer: true });
    const { message } = await transport.sendMail({ from: 'a@example.com', ...mail });
    mkdirSync(path.join(dataDir, 'outbox'), { recursive: true });
    writeFileSync(path.join(dataDir, 'outbox', `2026-01-15T10-30-0${count++}.000Z-x.eml`), message as Buffer);
  };

  test('reads the newest mail to an address: long links whole, and what is not ASCII', async () => {
    await send({ to: 'ann@example.com', subject: 'Old', text: 'old' });
    await send({
      to: 'Ann <ann@example.com>',
      subject: 'Passwort zurücksetzen für Ännchen',
      text: `Grüße 👋\n\n${LINK}\n`,
    });
    await send({ to: 'bob@example.com', subject: 'Not hers', text: 'https://example.com/' });
    const mail = await latestMailTo(dataDir, 'ann@example.com');
    expect(mail.subject).toBe('Passwort zurücksetzen für Ännchen');
    expect(mail.text).toContain('Grüße 👋');
    expect(mail.links).toEqual([LINK]);
  });

  test('takes the plain text of a mail that has HTML too', async () => {
    await send({
      to: 'cy@example.com',
      subject: 'Both',
      text: `See ${LINK}.`,
      html: '<a href="https://other.example">x</a>',
    });
    expect((await latestMailTo(dataDir, 'cy@example.com')).links).toEqual([LINK]);
  });

  test('is empty for an address to which nothing was sent', () => {
    expect(mailsTo(dataDir, 'nobody@example.com')).toEqual([]);
  });
});
