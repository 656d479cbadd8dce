import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { mailsTo, type ReceivedMail } from '../support/mailbox.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

export type RawPage = { status: number; headers: IncomingMessage['headers']; html: string };

export type From = {
  /** The address that the connection comes from; any of 127.0.0.0/8 on Linux. */
  localAddress?: string;
  forwardedFor?: string;
  cookie?: string;
};

/** A form, or nothing, sent from an address of the test's choice. */
export async function sendFrom(
  server: Pick<ServerProcess, 'port' | 'url'>,
  path: string,
  { localAddress = '127.0.0.1', forwardedFor, cookie }: From,
  form?: Record<string, string>,
): Promise<RawPage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        localAddress,
        method: form ? 'POST' : 'GET',
        headers: {
          Host: new URL(server.url).host,
          Accept: 'text/html',
          ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
          ...(forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor }),
          ...(cookie === undefined ? {} : { Cookie: cookie }),
        },
      },
      resolve,
    )
      .on('error', reject)
      .end(form && new URLSearchParams(form).toString());
  });
  return { status: response.statusCode ?? 0, headers: response.headers, html: await text(response) };
}

/** A page without what differs from one request to the next. */
export const withoutTokens = (html: string): string =>
  html
    .replace(/name="(?:_csrf|challenge)" value="[^"]*"/g, '')
    .replace(/data-options="[^"]*"/g, '')
    .replace(/req_\w+/g, 'req_');

/** The cookies of a browser for this site, as a Cookie header. */
export const cookiesOf = (agent: UserAgent, url: string): Promise<string> => agent.jar.getCookieString(url);

export async function signIn(
  server: Pick<ServerProcess, 'url'>,
  credentials: { email: string; password: string },
  agent = createUserAgent(server.url),
): Promise<{ agent: UserAgent; page: Page }> {
  const page = await agent.submit(
    await agent.open('/login'),
    { email: credentials.email, password: credentials.password },
    '/login',
  );
  return { agent, page };
}

/** Whether the home page knows this browser's person. */
export const isSignedIn = async (agent: UserAgent, email: string): Promise<boolean> =>
  (await agent.open('/')).html.includes(email);

/** Waits until there are as many mails to the address, and gives them, the oldest first. */
export async function mailTo(
  { dataDir }: Pick<ServerProcess, 'dataDir'>,
  email: string,
  count = 1,
): Promise<ReceivedMail[]> {
  for (let tries = 0; tries < 100; tries++) {
    const found = mailsTo(dataDir, email);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`fewer than ${count} mails to ${email}`);
}

/** The link in the newest of `count` mails. */
export const mailedLink = async (
  server: Pick<ServerProcess, 'dataDir'>,
  email: string,
  count = 1,
): Promise<string> => (await mailTo(server, email, count)).at(-1)?.links[0] ?? '';

export type Newcomer = { name: string; email: string; password: string; organization: string };

let newcomers = 0;

/** What somebody fills into the sign-up form. */
export const newcomer = (fields: Partial<Newcomer> = {}): Newcomer => ({
  name: 'New Comer',
  email: `newcomer-${++newcomers}@example.com`,
  password: 'correct horse battery staple',
  organization: 'New organization',
  ...fields,
});

export const signUp = async (fields: Newcomer, browser: UserAgent): Promise<Page> =>
  browser.submit(await browser.open('/signup'), fields, '/signup');

export const csrfOf = (page: Page): string => /name="_csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
