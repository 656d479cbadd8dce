import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { DEVICE_CODE } from '../../config/app-kinds.ts';
import type { Role } from '../../config/roles.ts';
import { capScopes } from '../../config/roles.ts';
import { IDENTITY_SCOPES, isIdentityScope, isScope, type Scope } from '../../config/scopes.ts';
import type { RegisteredClient } from './client-metadata.ts';
import { ACCESS_TOKEN_SECONDS } from './lifetimes.ts';

/**
 * The resource of a request that names none: the API itself, with the client as the token's audience, as
 * the customer's page shows. A URN of ours, since the library wants an absolute URI; clients never see it.
 */
const DEFAULT_RESOURCE = 'urn:promptreports:api';

/**
 * Which of the requested scopes are for the API. Throws `invalid_scope` (RFC 6749 §5.2) for one that is
 * unknown or that this app may not ask for: the library would drop it and answer with less.
 */
function requestedApiScopes(
  requested: readonly string[],
  allowed: readonly Scope[],
  identityAllowed: boolean,
): Scope[] {
  const api: Scope[] = [];
  for (const scope of requested) {
    if (identityAllowed && isIdentityScope(scope)) continue;
    if (!isScope(scope))
      throw new errors.InvalidScope('this scope is unknown or not for this grant type', scope);
    if (!allowed.includes(scope))
      throw new errors.InvalidScope('this app is not registered for this scope', scope);
    api.push(scope);
  }
  return api;
}

const REDEEMING = new Set(['authorization_code', 'refresh_token', DEVICE_CODE]);

/** The `scope` of a request that asks a person, as it was sent: what the library holds has lost offline_access already. */
function askedScope(ctx: KoaContextWithOIDC): unknown {
  const { route, body } = ctx.oidc;
  if (route === 'authorization') return ctx.query['scope'];
  return route === 'pushed_authorization_request' || route === 'device_authorization'
    ? body?.['scope']
    : undefined;
}

type Deps = {
  apiUrl: string;
  /** The person's role in the grant's organization; undefined when they don't belong to it any more. */
  roleForGrant(grant: { accountId: string; organizationId: string }): Promise<Role | undefined>;
};

/** The library's `resourceIndicators` (RFC 8707): which resources there are and what a token for one may say. */
export function resourceIndicators({ apiUrl, roleForGrant }: Deps) {
  // With and without the slash that URL parsers put behind an origin.
  const allowedAudience = (resource: string): boolean =>
    resource === apiUrl ||
    resource === `${apiUrl}/` ||
    resource === `${apiUrl}/v1` ||
    resource.startsWith(`${apiUrl}/v1/`);

  /** Both hooks call this: the library calls one or the other, by whether the client sent `resource`. */
  const checkScopes = (ctx: KoaContextWithOIDC, client: RegisteredClient): void => {
    const { params } = ctx.oidc;
    if (!params) return;
    const asked = askedScope(ctx);
    if (typeof asked === 'string' && asked.split(' ').includes('offline_access')) {
      // The library takes it out before it gets here. Refresh tokens come without it, so it would mean nothing.
      throw new errors.InvalidScope('refresh tokens are issued without this scope', 'offline_access');
    }
    const redeems = REDEEMING.has(String(params['grant_type'])); // then the scope was settled before
    if (params['scope'] === undefined && !redeems) {
      // RFC 6749 §3.3: no scope asked for means the default: all that the app was registered for.
      params['scope'] = client.allowed_scopes.join(' ');
    }
    const requested = typeof params['scope'] === 'string' ? params['scope'].split(' ') : [];
    requestedApiScopes(requested, client.allowed_scopes, params['grant_type'] !== 'client_credentials');
  };

  return {
    enabled: true as const,
    defaultResource: (
      ctx: KoaContextWithOIDC,
      client: Client,
      oneOf?: readonly string[],
    ): string | readonly string[] => {
      checkScopes(ctx, client as unknown as RegisteredClient);
      if (oneOf === undefined) return DEFAULT_RESOURCE;
      return oneOf.length === 1 ? (oneOf[0] as string) : oneOf;
    },
    useGrantedResource: () => true,
    getResourceServerInfo: async (
      ctx: KoaContextWithOIDC,
      resource: string,
      anyClient: Client,
    ): Promise<ResourceServer> => {
      const client = anyClient as unknown as RegisteredClient;
      checkScopes(ctx, client);
      if (resource !== DEFAULT_RESOURCE && !allowedAudience(resource)) {
        throw new errors.InvalidTarget(`this server gives tokens for ${apiUrl}/v1 only`);
      }
      return {
        // Identity scopes too: the token's `scope` says all that was granted (RFC 6749 §5.1), and is never empty.
        scope: [...IDENTITY_SCOPES, ...(await grantedNow(ctx, client))].join(' '),
        audience: resource === DEFAULT_RESOURCE ? client.clientId : resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: ACCESS_TOKEN_SECONDS,
        jwt: { sign: { alg: client.token_signing_alg } },
      };
    },
  };

  /** What the app may have: at the token endpoint no more than the person's role allows by now. */
  async function grantedNow(ctx: KoaContextWithOIDC, client: RegisteredClient): Promise<readonly Scope[]> {
    const grant = ctx.oidc.entities.Grant as { accountId?: string; organizationId?: string } | undefined;
    if (ctx.oidc.route !== 'token' || !grant?.accountId || !grant.organizationId)
      return client.allowed_scopes;
    const role = await roleForGrant({ accountId: grant.accountId, organizationId: grant.organizationId });
    if (!role) throw new errors.InvalidGrant('the person left the organization');
    return capScopes(client.allowed_scopes, role);
  }
}
