import type { Person } from '../support/people.ts';
import type { Client } from '../support/prepare.ts';
import {
  type At,
  authorizationUrl,
  type Pkce,
  pkce,
  postToken,
  type Site,
  type TokenAnswer,
} from '../support/site.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

export type Answer = { scopes?: string[]; organization?: string; decision?: 'allow' | 'deny' };

export type Walk = {
  /** The browser where it stopped: at the app's callback (`leftTo`), or at a page of ours that is no known step. */
  end: Page & { leftTo?: URL };
  /** The consent page, if one was shown. */
  consent?: Page;
  /** Whether a password was asked for. */
  signedIn: boolean;
};

/** Opens a URL as a person would: signs in where asked to, answers the consent page, and stops where neither is shown. */
export async function walk(
  agent: UserAgent,
  url: string,
  person: Pick<Person, 'email' | 'password'>,
  { scopes, organization, decision = 'allow' }: Answer = {},
): Promise<Walk> {
  let end = await agent.open(url);
  let consent: Page | undefined;
  let signedIn = false;
  if (!end.leftTo && end.html.includes('name="password"')) {
    signedIn = true;
    end = await agent.submit(end, { email: person.email, password: person.password }, '/login');
  }
  if (!end.leftTo && end.html.includes('name="decision"')) {
    consent = end;
    end = await agent.submit(
      end,
      {
        decision,
        scope: scopes ?? askedScopes(end.html),
        ...(organization === undefined ? {} : { organization }),
      },
      '/consent',
    );
  }
  return { end, signedIn, ...(consent ? { consent } : {}) };
}

/** The values of all checkboxes for scopes on a consent page. */
export const askedScopes = (html: string): string[] =>
  (html.match(/<input\b[^>]*>/g) ?? [])
    .filter((tag) => /\sname="scope"/.test(tag))
    .map((tag) => /\svalue="([^"]*)"/.exec(tag)?.[1] ?? '');

/** What the app's callback was called with; throws, with the page, when the browser did not get there. */
export function callbackOf({ end }: Walk): URLSearchParams {
  if (!end.leftTo) throw new Error(`Not at the app, but ${end.status} at ${end.url}:\n${end.html}`);
  return end.leftTo.searchParams;
}

export type CodeRequest = {
  agent?: UserAgent;
  person?: Pick<Person, 'email' | 'password'>;
  client?: Client;
  answer?: Answer;
  /** Overrides of the authorization request. */
  params?: Record<string, string | undefined>;
};

/** A code that was not redeemed yet, and the form that redeems it. */
export async function getCode(
  site: At & Pick<Site, 'made' | 'userAgent'>,
  {
    agent = site.userAgent,
    person = site.made.user,
    client = site.made.apps.web,
    answer = {},
    params = {},
  }: CodeRequest = {},
): Promise<{ code: string; redemption: Record<string, string>; walked: Walk } & Pkce> {
  const { verifier, challenge } = pkce();
  const redirectUri = client.redirectUris[0] as string;
  const url = authorizationUrl(site, challenge, {
    client_id: client.clientId,
    redirect_uri: redirectUri,
    ...params,
  });
  const walked = await walk(agent, url, person, answer);
  const code = callbackOf(walked).get('code');
  if (!code) throw new Error(`no code in ${walked.end.leftTo?.href}`);
  const redemption = {
    grant_type: 'authorization_code',
    ...credentialsOf(client),
    redirect_uri: params['redirect_uri'] ?? redirectUri,
    code,
    code_verifier: verifier,
  };
  return { code, verifier, challenge, redemption, walked };
}

/** As form fields; a public app has no secret. */
export const credentialsOf = ({ clientId, clientSecret }: Pick<Client, 'clientId' | 'clientSecret'>) => ({
  client_id: clientId,
  ...(clientSecret ? { client_secret: clientSecret } : {}),
});

/** A whole code flow. */
export async function getTokens(site: Site, request: CodeRequest = {}): Promise<TokenAnswer> {
  const { redemption } = await getCode(site, request);
  const response = await postToken(site, redemption);
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as TokenAnswer;
}

/** Posts to the token endpoint and reads the answer, whatever it is. */
export async function tokenRequest(
  site: At,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const response = await postToken(site, form, headers);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
}

export const refreshForm = (client: Client, refreshToken: string | undefined, scope?: string) => ({
  grant_type: 'refresh_token',
  ...credentialsOf(client),
  refresh_token: refreshToken ?? '',
  ...(scope === undefined ? {} : { scope }),
});
