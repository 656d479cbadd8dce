import { createHash, randomBytes } from 'node:crypto';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import type { Services } from '../../src/services.ts';
import { bootstrapDatabase } from './bootstrapped.ts';
import { freshDataDir } from './databases.ts';
import { withDatabase } from './prepare.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { createUserAgent, type UserAgent } from './user-agent.ts';

/** A running service with a bootstrapped organization in it, and the steps that most OAuth tests begin with. */
export type Site = {
  server: ServerProcess;
  made: Bootstrapped;
  userAgent: UserAgent;
  stop(): Promise<void>;
};

/** On the embedded database, unless `env` names another. `prepare` runs before the service opens it. */
export async function startSite(
  env: Record<string, string> = {},
  prepare?: (services: Services, made: Bootstrapped) => Promise<void>,
): Promise<Site> {
  const settings = { DATA_DIR: freshDataDir().dataDir, ...env };
  const made = await bootstrapDatabase(settings);
  if (prepare) await withDatabase(settings, (services) => prepare(services, made));
  const server = await startServer({ LOG_LEVEL: 'warn', ...settings });
  return {
    server,
    made,
    userAgent: createUserAgent(server.url),
    stop: async () => {
      await server.stop();
    },
  };
}

/** All that most requests need to know of a site. */
export type At = { server: Pick<ServerProcess, 'url'> };

export type Pkce = { verifier: string; challenge: string };

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** The URL that an app sends a person to; `with` overrides, and removes what is undefined. */
export function authorizationUrl(
  site: At & Pick<Site, 'made'>,
  challenge: string,
  overrides: Record<string, string | undefined> = {},
): string {
  const { web } = site.made.apps;
  const url = new URL('/oauth/authorize', site.server.url);
  const params: Record<string, string | undefined> = {
    client_id: web.clientId,
    redirect_uri: web.redirectUris[0],
    response_type: 'code',
    scope: 'prompts:read prompts:write reports:read',
    state: 'the-state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...overrides,
  };
  for (const [name, value] of Object.entries(params))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

/**
 * Signs the demo owner in where asked to, allows what is asked for (all scopes unless `scopes` says which), and gives
 * the URL that the person's browser is sent back to.
 */
export async function authorize(
  { made, userAgent }: Pick<Site, 'made' | 'userAgent'>,
  url: string,
  { scopes, decision = 'allow' }: { scopes?: string[]; decision?: 'allow' | 'deny' } = {},
): Promise<URL> {
  let page = await userAgent.open(url);
  for (let step = 0; step < 4 && !page.leftTo; step++) {
    if (page.html.includes('name="password"')) {
      page = await userAgent.submit(page, { email: made.user.email, password: made.user.password }, '/login');
    } else if (page.html.includes('name="decision"')) {
      const asked = [
        ...page.html.matchAll(/name="scope"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="scope"/g),
      ].map(([, a, b]) => a ?? b ?? '');
      page = await userAgent.submit(
        page,
        { decision, scope: scopes ?? asked, organization: made.organization.id },
        '/consent',
      );
    } else {
      break;
    }
  }
  if (!page.leftTo)
    throw new Error(`Not sent back to the app, but ${page.status} at ${page.url}:\n${page.html}`);
  return page.leftTo;
}

/** A request to the token endpoint with a form. */
export const postToken = (site: At, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(new URL('/oauth/token', site.server.url), {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  });

export type TokenAnswer = {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope: string;
};

/** A whole code flow of the demo web app: what its owner gets when everything is allowed. */
export async function codeFlow(
  site: Site,
  options: { scope?: string; scopes?: string[] } = {},
): Promise<TokenAnswer> {
  const { web } = site.made.apps;
  const { verifier, challenge } = pkce();
  const url = authorizationUrl(site, challenge, options.scope === undefined ? {} : { scope: options.scope });
  const callback = await authorize(site, url, options.scopes ? { scopes: options.scopes } : {});
  const code = callback.searchParams.get('code');
  if (!code) throw new Error(`no code in ${callback.href}`);
  const response = await postToken(site, {
    grant_type: 'authorization_code',
    client_id: web.clientId,
    client_secret: web.clientSecret,
    redirect_uri: web.redirectUris[0] as string,
    code,
    code_verifier: verifier,
  });
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as TokenAnswer;
}

/** The claims of a JWT, without looking at its signature. */
export const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
