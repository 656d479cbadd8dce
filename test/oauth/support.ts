import { randomBytes } from 'node:crypto';
import { loadConfig } from '../../config/config.ts';
import type { Role } from '../../config/roles.ts';
import { hashPassword } from '../../src/accounts/password.ts';
import type { App } from '../../src/apps/app.ts';
import { type Bootstrapped, bootstrap } from '../../src/bootstrap.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices, type Services } from '../../src/services.ts';
import { freshDataDir, freshPostgres } from '../support/databases.ts';
import { AMPLE } from '../support/limits.ts';
import { registerTestApp } from '../support/prepare.ts';
import { type ServerProcess, startSecondNode, startServer } from '../support/server-process.ts';
import {
  type At,
  authorizationUrl,
  type Pkce,
  pkce,
  postToken,
  type Site,
  type TokenAnswer,
} from '../support/site.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

export const PASSWORD = 'correct horse battery staple';

export type Person = { id: string; email: string; password: string };

/** An app with what a token request needs to say of it. */
export type Client = { clientId: string; clientSecret: string; redirectUris: string[] };

/** A site in which `prepare` has made more than bootstrap does. */
export type PreparedSite<Extra> = Site & {
  extra: Extra;
  /** What the server was started with: start another one with it for a second node. */
  env: Record<string, string>;
  /** A connection beside the server's, for what no page or endpoint can do. PostgreSQL only. */
  services: Services;
};

/** `embedded` closes its database before the server opens it, so that `services` is of no use afterwards. */
export async function startPreparedSite<Extra>(
  database: 'postgresql' | 'embedded',
  prepare: (services: Services, made: Bootstrapped) => Promise<Extra>,
  extraEnv: Record<string, string> = {},
): Promise<PreparedSite<Extra>> {
  const { dataDir, remove } = freshDataDir();
  const fresh = database === 'postgresql' ? await freshPostgres() : undefined;
  const env = {
    LOG_LEVEL: 'warn',
    DATA_DIR: dataDir,
    SECRET_KEY: randomBytes(32).toString('base64'),
    REFRESH_GRACE_SECONDS: '0',
    ...(fresh ? { DATABASE_URL: fresh.databaseUrl } : {}),
    ...extraEnv,
  };
  const services = await openServices(loadConfig(env), createLogger('warn'));
  const made = await bootstrap(services, AMPLE);
  const extra = await prepare(services, made);
  if (!fresh) await services.close();
  const server = await startServer(env);
  return {
    server,
    made,
    extra,
    env,
    services,
    userAgent: createUserAgent(server.url),
    stop: async () => {
      await server.stop();
      if (fresh) {
        await services.close();
        await fresh.drop();
      }
      remove();
    },
  };
}

/** A site on PostgreSQL that two processes serve; `stop` stops both. */
export type TwoNodes<Extra> = PreparedSite<Extra> & { nodes: [ServerProcess, ServerProcess] };

export async function startTwoNodes<Extra>(
  prepare: (services: Services, made: Bootstrapped) => Promise<Extra>,
  extraEnv: Record<string, string> = {},
): Promise<TwoNodes<Extra>> {
  const site = await startPreparedSite('postgresql', prepare, extraEnv);
  const second = await startSecondNode(site);
  return {
    ...site,
    nodes: [site.server, second],
    stop: async () => {
      await second.stop();
      await site.stop();
    },
  };
}

/** A confirmed account in these organizations. */
export async function addPerson(
  { users, organizations }: Services,
  email: string,
  memberships: { organizationId: string; role: Role }[],
  name = 'Some Body',
): Promise<Person> {
  const id = newId('usr');
  await users.insert({ id, email, name, passwordHash: await hashPassword(PASSWORD) });
  await users.confirmEmail(id);
  for (const membership of memberships) await organizations.addMember({ ...membership, userId: id });
  return { id, email, password: PASSWORD };
}

/** A person of each name, in the demo organization. */
export async function addPeople<Name extends string>(
  services: Services,
  made: Bootstrapped,
  names: readonly Name[],
  role: Role,
): Promise<Record<Name, Person>> {
  const people: [string, Person][] = [];
  for (const name of names) {
    const membership = { organizationId: made.organization.id, role };
    people.push([name, await addPerson(services, `${name}@example.com`, [membership], name)]);
  }
  return Object.fromEntries(people) as Record<Name, Person>;
}

/** A registered app; a web app of the demo organization unless `fields` says otherwise. */
export async function addApp(
  services: Services,
  made: Bootstrapped,
  fields: Partial<Omit<App, 'id'>> = {},
): Promise<Client> {
  const usual = fields.kind === 'service' ? [] : ['http://localhost:8080/callback'];
  const redirectUris = [...(fields.redirectUris ?? usual)];
  const organizationId = made.organization.id;
  const app = await registerTestApp(services, {
    organizationId,
    name: 'Another app',
    ...fields,
    redirectUris,
  });
  return { ...app, redirectUris };
}

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

/** `GET /v1/me` with the token. */
export async function me(
  site: Pick<Site, 'server'>,
  token: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(new URL('/v1/me', site.server.url), {
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
