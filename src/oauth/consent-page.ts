import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { grantableScopes } from '../../config/roles.ts';
import { IDENTITY_SCOPES, isScope, SCOPES, type Scope, sortScopes } from '../../config/scopes.ts';
import type { RenderPage } from '../http/page.ts';
import { AppError } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import type { RegisteredClient } from './client-metadata.ts';
import type { ConsentMembership } from './consent.ts';
import type { GrantStore } from './grant-store.ts';

export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

export type ConsentPageDeps = {
  provider: Provider;
  renderPage: RenderPage;
  grants: Pick<GrantStore, 'latestFor'>;
  findAccount(id: string): Promise<Account | undefined>;
  membershipsOf(userId: string): Promise<ConsentMembership[]>;
};

export const expired = (): AppError =>
  new AppError(
    'bad_request',
    'This sign-in has expired or belongs to another browser. Go back to the app and start again.',
  );

export const httpsOnly = (url: string | undefined): string | undefined =>
  url?.startsWith('https://') ? url : undefined;

/** What the request comes to after the library resolved it: not `prompt.details`, which leaves out what was granted before. */
export function whatIsAsked(interaction: Interaction): {
  scopes: Scope[];
  identity: string[];
  resources: string[];
} {
  const { scope, resource } = interaction.params;
  const all = typeof scope === 'string' ? scope.split(' ') : [];
  return {
    scopes: sortScopes(all.filter(isScope)),
    identity: IDENTITY_SCOPES.filter((name) => all.includes(name)),
    resources: [resource].flat().filter((value): value is string => typeof value === 'string'),
  };
}

/** The scopes that the person allowed this app before, for the resources that are asked for now. */
async function allowedBefore(
  { provider, grants }: ConsentPageDeps,
  key: { userId: string; appId: string },
  resources: readonly string[],
): Promise<ReadonlySet<string>> {
  const id = await grants.latestFor(key);
  const grant = id ? await provider.Grant.find(id) : undefined;
  return new Set(grant ? resources.flatMap((resource) => grant.getResourceScope(resource).split(' ')) : []);
}

/** Shows what is asked for, by whom and for whom; again, with what was ticked, when the answer could not be taken. */
export async function showConsent(
  ctx: Context,
  deps: ConsentPageDeps,
  interaction: Interaction,
  client: RegisteredClient,
  failed?: { organizationId: string; scopes: string[]; message: string },
): Promise<void> {
  const account = interaction.session?.accountId && (await deps.findAccount(interaction.session.accountId));
  if (!account) throw expired();
  const memberships = await deps.membershipsOf(account.id);
  const asked = whatIsAsked(interaction);
  const before = await allowedBefore(deps, { userId: account.id, appId: client.clientId }, asked.resources);
  const selected = failed?.organizationId ?? memberships[0]?.organizationId;

  deps.renderPage(
    ctx,
    'consent',
    {
      action: `/oauth/interaction/${interaction.uid}/consent`,
      app: {
        name: client.clientName ?? client.clientId,
        logoUrl: httpsOnly(client.logoUri),
        ...whoAnswersFor(client),
        environment: client.environment,
        kind: client.app_kind,
      },
      redirectHost: receiverOf(interaction.params['redirect_uri']),
      organizations: memberships.map(({ organizationId, organizationName, role }) => ({
        id: organizationId,
        name: organizationName,
        role,
        selected: organizationId === selected,
      })),
      scopes: asked.scopes.map((scope) => ({
        scope,
        description: SCOPES[scope].description,
        level: SCOPES[scope].level,
        checked: failed ? failed.scopes.includes(scope) : true,
        alreadyGranted: before.has(scope),
        lacking: memberships
          .filter(({ role }) => !grantableScopes(role).includes(scope))
          .map(({ organizationName }) => organizationName),
      })),
      identity: asked.identity,
      account: { name: account.name, email: account.email },
      switchAccountUrl: switchAccountUrl(interaction),
      error: failed?.message,
    },
    { status: failed ? 422 : 200 },
  );
}

/** An organization that is known here, with its links; of others nothing but where they come from: the rest is what they say. */
function whoAnswersFor(client: RegisteredClient) {
  if (client.app_source === 'organization') {
    return {
      homepageUrl: httpsOnly(client.clientUri),
      privacyUrl: httpsOnly(client.policyUri),
      developer: client.organization_name,
    };
  }
  const publishedAt = client.app_source === 'document' ? new URL(client.clientId).host : undefined;
  return { developer: undefined, publishedAt };
}

/** Who gets the code, as a person can judge it: the host, or the private scheme of a program on their device. */
function receiverOf(redirectUri: unknown): string {
  if (typeof redirectUri !== 'string') return '';
  const url = URL.parse(redirectUri);
  if (!url) return redirectUri;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : `${url.protocol}//`;
}

/** The same request once more, with another sign-in first. */
function switchAccountUrl(interaction: Interaction): string {
  if (typeof interaction.params['redirect_uri'] !== 'string') return '/logout'; // a device, which has to be started anew
  const [path, query] = sameRequestUrl(interaction).split('?');
  return query === undefined ? `${path}` : `${path}?${query}&prompt=login`;
}

/** The request once more, from its beginning; a device's has none here, and its person types the code again. */
export function sameRequestUrl(interaction: Interaction): string {
  if (interaction.params['redirect_uri'] === undefined) return '/oauth/device';
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(interaction.params)) {
    const internal = name === 'resource' && typeof value === 'string' && value.startsWith('urn:');
    if (typeof value === 'string' && name !== 'prompt' && !internal) query.set(name, value);
  }
  return `/oauth/authorize?${query.toString()}`;
}
