import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type ReceivedMail = { subject: string; text: string; links: string[] };

/** The newest mail to `address` in the outbox of a service without SMTP; waits for it up to five seconds. */
export async function latestMailTo(dataDir: string, address: string): Promise<ReceivedMail> {
  for (let tries = 0; tries < 100; tries++) {
    const mail = mailsTo(dataDir, address).at(-1);
    if (mail) return mail;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail to ${address} in ${path.join(dataDir, 'outbox')}`);
}

/** All mail to `address`, the oldest first. */
export function mailsTo(dataDir: string, address: string): ReceivedMail[] {
  const outbox = path.join(dataDir, 'outbox');
  return listFiles(outbox)
    .map((file) => parseMail(readFileSync(path.join(outbox, file), 'utf8')))
    .filter(({ to }) => to.toLowerCase().includes(address.toLowerCase()))
    .map(({ subject, text }) => ({
      subject,
      text,
      links: text.match(/https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;:!?]/g) ?? [],
    }));
}

/** Names begin with the time in ISO 8601, so that their order is the mails'. */
function listFiles(outbox: string): string[] {
  try {
    return readdirSync(outbox)
      .filter((file) => file.endsWith('.eml'))
      .sort();
  } catch {
    return [];
  }
}

function parseMail(source: string): { to: string; subject: string; text: string } {
  const { headers, body } = split(source);
  return {
    to: headers.get('to') ?? '',
    subject: decodeWords(headers.get('subject') ?? ''),
    text: textOf(headers, body),
  };
}

/** The plain text of a part: of several, the first that has one. */
function textOf(headers: Map<string, string>, body: string): string {
  const type = headers.get('content-type') ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (/^multipart\//i.test(type) && boundary !== undefined) {
    for (const part of body.split(`--${boundary}`).slice(1, -1)) {
      const inner = split(part.replace(/^\r?\n/, ''));
      const text = textOf(inner.headers, inner.body);
      if (text !== '') return text;
    }
    return '';
  }
  if (!/^text\/plain/i.test(type)) return '';
  return decode(body, headers.get('content-transfer-encoding') ?? '7bit');
}

function split(source: string): { headers: Map<string, string>; body: string } {
  const unix = source.replaceAll('\r\n', '\n');
  const end = unix.indexOf('\n\n');
  const unfolded = unix.slice(0, end).replaceAll(/\n[ \t]+/g, ' ');
  const headers = new Map(
    unfolded.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { headers, body: unix.slice(end + 2) };
}

function decode(body: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64').toString('utf8');
    case 'quoted-printable':
      return quotedPrintable(body.replaceAll(/=\n/g, ''));
    default:
      return body;
  }
}

/** RFC 2047: words of a header that are not ASCII. */
const decodeWords = (header: string): string =>
  header
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : quotedPrintable(word.replaceAll('_', ' ')),
    );

const quotedPrintable = (text: string): string =>
  text.replaceAll(/(?:=[0-9A-F]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('=', ''), 'hex').toString('utf8'),
  );
