import { createHash, randomBytes } from 'node:crypto';
import type { AppKind } from '../config/app-kinds.ts';
import type { Figures, Plan } from '../config/plans.ts';
import { ALL_SCOPES } from '../config/scopes.ts';
import { hashPassword } from './accounts/password.ts';
import { isMailbox, normalizeEmail } from './kernel/email.ts';
import { newId } from './kernel/ids.ts';
import type { Services } from './services.ts';

const REDIRECT_URIS = ['http://localhost:8080/callback', 'http://127.0.0.1:8080/callback'];
const DEFAULT_EMAIL = 'demo@example.com';

export type BootstrapOptions = { email?: string; organization?: string; plan?: Plan; own?: Partial<Figures> };

/** What was made, with every secret in the clear: printed once, kept nowhere. */
export type Bootstrapped = {
  organization: { id: string; name: string; plan: Plan };
  user: { id: string; email: string; password: string };
  apiKeys: { live: string; test: string };
  apps: {
    web: { clientId: string; clientSecret: string; redirectUris: string[] };
    spa: { clientId: string; redirectUris: string[] };
    service: { clientId: string; clientSecret: string };
  };
};

/** Says in words what to give instead. */
class BootstrapError extends Error {
  override readonly name = 'BootstrapError';
}

/**
 * An organization to start with: its owner, a key for each environment, and an app of each kind, with every
 * scope. All of it in one transaction. Throws BootstrapError when `email` has an account; without one given, a free
 * address is chosen.
 */
export function bootstrap(services: Services, options: BootstrapOptions = {}): Promise<Bootstrapped> {
  const { transaction, createOrganization, createApiKey, registerApp, setPlan } = services;
  const actor = { type: 'operator' } as const;
  return transaction(async () => {
    const user = await createOwner(services, options.email);
    const organization = await createOrganization({
      name: options.organization ?? 'Demo organization',
      ownerId: user.id,
      plan: options.plan ?? 'free',
      actor,
    });
    if (options.own) await setPlan(organization.id, organization.plan, options.own);
    const createKey = async (environment: 'live' | 'test') => {
      const { key } = await createApiKey(
        {
          organizationId: organization.id,
          name: `First ${environment} key`,
          environment,
          scopes: ALL_SCOPES,
          createdBy: user.id,
        },
        { actor },
      );
      return key.reveal();
    };
    const createApp = async (name: string, kind: AppKind) => {
      const redirectUris = kind === 'service' ? [] : REDIRECT_URIS;
      const { app, secret } = await registerApp(
        {
          organizationId: organization.id,
          name,
          kind,
          environment: 'live',
          redirectUris,
          scopes: ALL_SCOPES,
          requirePkce: true,
          homepageUrl: undefined,
          logoUrl: undefined,
          privacyUrl: undefined,
          createdBy: user.id,
        },
        { actor },
      );
      return { clientId: app.id, clientSecret: secret?.reveal() ?? '', redirectUris };
    };

    const web = await createApp('Demo web app', 'web');
    const spa = await createApp('Demo single-page app', 'native');
    const service = await createApp('Demo service', 'service');
    return {
      organization,
      user,
      apiKeys: { live: await createKey('live'), test: await createKey('test') },
      apps: {
        web,
        spa: { clientId: spa.clientId, redirectUris: spa.redirectUris },
        service: { clientId: service.clientId, clientSecret: service.clientSecret },
      },
    };
  });
}

async function createOwner(services: Services, wanted: string | undefined) {
  const id = newId('usr');
  const password = randomBytes(15).toString('base64url');
  const passwordHash = await hashPassword(password);
  if (wanted && !isMailbox(normalizeEmail(wanted))) {
    throw new BootstrapError(`${wanted} is not an e-mail address: give one such as name@example.com`);
  }
  for (let attempt = 1; attempt <= 1_000; attempt++) {
    const email = wanted
      ? normalizeEmail(wanted)
      : DEFAULT_EMAIL.replace('@', attempt === 1 ? '@' : `-${attempt}@`);
    if (await services.users.insert({ id, email, name: 'Demo Owner', passwordHash })) {
      await services.users.confirmEmail(id);
      return { id, email, password };
    }
    if (wanted) throw new BootstrapError(`${email} has an account already: give another --email`);
  }
  throw new BootstrapError('No free demo address is left: give one with --email');
}

/** The owner, the key and lines to paste, for a person at a terminal. */
export function describeBootstrap(made: Bootstrapped, urls: { apiUrl: string; webUrl: string }): string {
  const { apiUrl, webUrl } = urls;
  const { user, apiKeys, apps, organization } = made;
  const verifier = randomBytes(32).toString('base64url');
  const authorizeUrl = new URL('/oauth/authorize', webUrl);
  authorizeUrl.search = new URLSearchParams({
    response_type: 'code',
    client_id: apps.spa.clientId,
    redirect_uri: apps.spa.redirectUris[1] ?? '',
    scope: 'prompts:read prompts:write',
    state: randomBytes(8).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  return `
  Made for you, and shown this once (${organization.name}, plan ${organization.plan}):

    Sign in at   ${webUrl}/login
    E-mail       ${user.email}
    Password     ${user.password}
    API key      ${apiKeys.live}   (production data)
                 ${apiKeys.test}   (sandbox data)

  Call the API with the key:

    curl ${apiUrl}/v1/me -H "Authorization: Bearer ${apiKeys.live}"

    curl ${apiUrl}/v1/prompts -H "Authorization: Bearer ${apiKeys.live}" \\
      -H "Content-Type: application/json" -d '{"name":"Greeting","content":"Say hello to {{name}}."}'

    curl ${apiUrl}/v1/prompts -H "Authorization: Bearer ${apiKeys.live}"

  Get an access token for a service (client credentials), and use it:

    TOKEN=$(curl -s ${apiUrl}/oauth/token -d grant_type=client_credentials -d scope=prompts:read \\
      -d client_id=${apps.service.clientId} -d client_secret=${apps.service.clientSecret} \\
      | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
    curl ${apiUrl}/v1/prompts -H "Authorization: Bearer $TOKEN"

  Let a person allow an app (authorization code with PKCE). Open this, sign in and choose Allow:

    ${authorizeUrl.href}

  The browser is sent to ${apps.spa.redirectUris[1]}?code=…, where nothing listens yet. Copy the code from
  the address bar within a minute:

    curl ${apiUrl}/oauth/token -d grant_type=authorization_code -d client_id=${apps.spa.clientId} \\
      -d redirect_uri=${apps.spa.redirectUris[1]} -d code_verifier=${verifier} -d code=PASTE_IT_HERE

  Or point any OAuth client at the issuer ${apiUrl}.
`;
}
