import Provider, { type Adapter, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { ASSERTION_ALGORITHMS, DPOP_ALGORITHMS } from '../../config/jwa.ts';
import type { Role } from '../../config/roles.ts';
import { ALL_SCOPES, IDENTITY_SCOPES } from '../../config/scopes.ts';
import { SIGNING_ALGORITHMS } from '../../config/signing-algorithms.ts';
import type { RenderPage } from '../http/page.ts';
import type { Account } from './account.ts';
import { type AmendDeps, amendModels } from './amend-models.ts';
import { EXTRA_CLIENT_METADATA, type RegisteredClient } from './client-metadata.ts';
import { currentKeys, verifyHintsByAllKeys } from './current-key.ts';
import { DEVICE_PAGE, deviceFlow, type PollDeps, slowDownDevices } from './device-flow.ts';
import { letFormPostLeave } from './form-post.ts';
import type { GrantStore } from './grant-store.ts';
import { createInteractionPolicy } from './interaction-policy.ts';
import { type IntrospectionDeps, introspectionPolicy } from './introspection.ts';
import type { KeyRing } from './key-ring.ts';
import * as lifetimes from './lifetimes.ts';
import { rpInitiatedLogout } from './logout.ts';
import { findOutsideTokens, type OutsideTokens } from './outside-tokens.ts';
import { noticeReplays } from './replays.ts';
import { resourceIndicators } from './resource-servers.ts';
import { type RevocationDeps, revocationPolicy } from './revocation.ts';
import { keepSessionsEnded, type SessionEpochDeps } from './session-epochs.ts';
import { closeReplayRaces, type SingleUseDeps } from './single-use.ts';

export type ProviderDeps = SessionEpochDeps &
  AmendDeps &
  IntrospectionDeps &
  RevocationDeps &
  SingleUseDeps &
  PollDeps & {
    /** What can be introspected and revoked beside the tokens that the library keeps. */
    outsideTokens: readonly OutsideTokens[];
    apiUrl: string;
    webUrl: string;
    keyRing: KeyRing;
    cookieKeys: string[];
    /** 32 bytes. */
    dpopNonceSecret: Buffer;
    requireDpopNonce: boolean;
    /** Storage for one kind of record: the library asks once a kind. */
    adapterFor(kind: string): Adapter;
    /** Undefined when the person is gone or deactivated. */
    findAccount(id: string): Promise<Account | undefined>;
    roleOf(member: { userId: string; organizationId: string }): Promise<Role | undefined>;
    grants: GrantStore;
    renderPage: RenderPage;
    renderError(
      ctx: KoaContextWithOIDC,
      problem: { status: number; error: string; description: string },
    ): void;
  };

/**
 * The certified OAuth 2.0 and OpenID Connect library, set up as the contract says. Everything that decides
 * about a protocol step is the library's; what is here are its settings and the few places where it
 * leaves a decision to us or answers otherwise than the RFCs or the contract want.
 */
export function createProvider(deps: ProviderDeps): Provider {
  const provider = new Provider(deps.apiUrl, settings(deps));
  amendModels(provider, deps);
  noticeReplays(provider);
  findOutsideTokens(provider, deps.outsideTokens);
  closeReplayRaces(provider, deps);
  slowDownDevices(provider, deps);
  verifyHintsByAllKeys(provider, deps.keyRing);
  keepSessionsEnded(provider, deps);
  letFormPostLeave(provider);
  return provider;
}

function settings(deps: ProviderDeps): Configuration {
  const secure = deps.webUrl.startsWith('https:');
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, secure } as const;
  return {
    adapter: deps.adapterFor,
    jwks: currentKeys(deps.keyRing),
    cookies: {
      keys: deps.cookieKeys,
      // __Host- and __Secure- make the browser refuse these cookies from a subdomain or over plain HTTP.
      names: {
        session: secure ? '__Host-pr_session' : 'pr_session',
        interaction: secure ? '__Secure-pr_interaction' : 'pr_interaction',
        resume: secure ? '__Secure-pr_resume' : 'pr_resume',
      },
      long: cookie,
      short: cookie,
    },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      jwks: '/.well-known/jwks.json',
      end_session: '/oauth/logout',
      pushed_authorization_request: '/oauth/par',
      device_authorization: '/oauth/device_authorization',
      code_verification: DEVICE_PAGE,
      introspection: '/oauth/introspect',
      revocation: '/oauth/revoke',
    },
    features: {
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      introspection: { enabled: true, allowedPolicy: introspectionPolicy(deps) },
      revocation: { enabled: true, allowedPolicy: revocationPolicy(deps) },
      rpInitiatedLogout: rpInitiatedLogout(deps.renderPage),
      dPoP: {
        enabled: true,
        nonceSecret: deps.dpopNonceSecret,
        requireNonce: () => deps.requireDpopNonce,
      },
      pushedAuthorizationRequests: { enabled: true },
      fapi: {
        enabled: true,
        profile: (_ctx, client) =>
          (client as RegisteredClient | undefined)?.security_profile === 'fapi2' ? '2.0' : undefined,
      },
      deviceFlow: deviceFlow(deps.renderPage),
      resourceIndicators: resourceIndicators({
        apiUrl: deps.apiUrl,
        roleForGrant: ({ accountId, organizationId }) => deps.roleOf({ userId: accountId, organizationId }),
      }),
    },
    scopes: [...IDENTITY_SCOPES],
    claims: { openid: ['sub', 'amr'], profile: ['name'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false, // they stand in the id_token too, where most apps look for them
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    assertJwtClientAuthClaimsAndHeader: refuseAssertions,
    // Nothing is fetched by the library: keys of apps come with their metadata (see client-keys.ts).
    fetch: () => Promise.reject(new Error('the OAuth library fetches nothing')),
    enabledJWA: {
      idTokenSigningAlgValues: [...SIGNING_ALGORITHMS],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
      clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
    },
    pkce: {
      required: (_ctx, client) =>
        client.clientAuthMethod === 'none' || (client as unknown as RegisteredClient).require_pkce,
    },
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    extraClientMetadata: { properties: [...EXTRA_CLIENT_METADATA] },
    // No cookie is read at the endpoints that answer to CORS, and the secret is in the request or it isn't.
    clientBasedCORS: () => true,
    interactions: {
      policy: createInteractionPolicy(),
      url: (_ctx, interaction) => `${deps.webUrl}/oauth/interaction/${interaction.uid}`,
    },
    findAccount: async (_ctx, id) => {
      const account = await deps.findAccount(id);
      return (
        account && {
          accountId: account.id,
          claims: () => ({
            sub: account.id,
            name: account.name,
            email: account.email,
            email_verified: account.emailConfirmed,
          }),
        }
      );
    },
    loadExistingGrant: async (ctx) => {
      const { client, account, result } = ctx.oidc;
      const id =
        result?.consent?.grantId ??
        (client &&
          account &&
          (await deps.grants.latestFor({ userId: account.accountId, appId: client.clientId })));
      return id ? ctx.oidc.provider.Grant.find(id) : undefined;
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: lifetimes.ACCESS_TOKEN_SECONDS,
      ClientCredentials: lifetimes.ACCESS_TOKEN_SECONDS,
      DeviceCode: lifetimes.DEVICE_CODE_SECONDS,
      AuthorizationCode: lifetimes.AUTHORIZATION_CODE_SECONDS,
      IdToken: lifetimes.ACCESS_TOKEN_SECONDS,
      Interaction: lifetimes.INTERACTION_SECONDS,
      Session: lifetimes.SESSION_SECONDS,
      Grant: lifetimes.GRANT_SECONDS,
      RefreshToken: (_ctx, token) => lifetimes.refreshTokenSeconds(token.totalLifetime()),
    },
    extraTokenClaims: (ctx, token) => {
      const client = ctx.oidc.client as unknown as RegisteredClient;
      if (!token.scope) throw new errors.InvalidGrant('nothing of what was allowed is left');
      const grant = ctx.oidc.entities.Grant as { organizationId?: string } | undefined;
      const organizationId = token.kind === 'AccessToken' ? grant?.organizationId : client.organization_id;
      if (!organizationId) throw new errors.InvalidGrant('the grant names no organization');
      return { org_id: organizationId, ...(client.environment === 'test' ? { env: 'test' } : {}) };
    },
    formats: {
      customizers: {
        jwt: (_ctx, _token, jwt) => {
          jwt.header = { ...jwt.header, typ: 'JWT' }; // as on the customer's page; RFC 9068's is at+jwt
        },
      },
    },
    renderError: (ctx, out) => {
      deps.renderError(ctx, {
        status: ctx.status,
        error: out.error,
        description: out.error_description ?? 'The request could not be carried out.',
      });
    },
    discovery: { service_documentation: `${deps.webUrl}/docs`, op_policy_uri: undefined },
  };
}

/**
 * RFC 7523 §3: an assertion is remembered until it expires, and so that must be soon. FAPI 2.0 §5.3.2.1, §5.4.1: it is for the
 * issuer alone, so that no other server that the app talks to has one for us; and RS256 doesn't do.
 */
function refuseAssertions(
  ctx: KoaContextWithOIDC,
  { exp, aud }: { exp?: number | undefined; aud?: unknown },
  { alg }: { alg?: unknown },
): void {
  if (ctx.oidc.isFapi('2.0') && (aud !== ctx.oidc.issuer || alg === 'RS256')) {
    throw new errors.InvalidClientAuth('the client_assertion JWT is not as FAPI 2.0 wants it');
  }
  if ((exp ?? 0) > Date.now() / 1000 + lifetimes.LONGEST_ASSERTION_SECONDS) {
    throw new errors.InvalidClientAuth('the client_assertion JWT expires too far in the future');
  }
}

/** The scopes that discovery names: those of the API and those of OpenID Connect. */
export const ADVERTISED_SCOPES: readonly string[] = [...IDENTITY_SCOPES, ...ALL_SCOPES];
