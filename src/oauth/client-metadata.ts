import type { AllClientMetadata, Client } from 'oidc-provider';
import { APP_KINDS, type AppKind, authMethodOf } from '../../config/app-kinds.ts';
import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';
import type { SecurityProfile } from '../../config/security-profiles.ts';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';

/** What this feature needs of an app; `apps/app.ts` has it whole. */
export type OAuthApp = {
  id: string;
  /** Undefined for an app that no organization registered: see `source`. */
  organizationId: string | undefined;
  organizationName: string | undefined;
  source: 'organization' | 'registration' | 'document';
  name: string;
  kind: AppKind;
  environment: Environment;
  redirectUris: string[];
  scopes: Scope[];
  requirePkce: boolean;
  postLogoutRedirectUris: string[];
  jwks: object | undefined;
  jwksUri: string | undefined;
  homepageUrl: string | undefined;
  logoUrl: string | undefined;
  privacyUrl: string | undefined;
  /** Marked by the operator: may introspect and revoke tokens of every organization. */
  resourceServer: boolean;
  /** Of its access tokens and id_tokens. */
  tokenSigningAlg: SigningAlgorithm;
  securityProfile: SecurityProfile;
  secrets: { id: string; hash: Buffer; expiresAt: Date | undefined }[];
};

/**
 * Members of ours on the library's client. API scopes stand here and not in `scope`: the library would
 * treat those as OpenID scopes and ask for consent twice.
 */
export const EXTRA_CLIENT_METADATA = [
  'organization_id',
  'organization_name',
  'app_source',
  'keys_elsewhere',
  'environment',
  'allowed_scopes',
  'require_pkce',
  'app_kind',
  'resource_server',
  'token_signing_alg',
  'security_profile',
  'secret_hashes',
] as const;

export type RegisteredClient = Client & {
  organization_id: string | undefined;
  organization_name: string | undefined;
  app_source: OAuthApp['source'];
  /** Its keys are at a URL of its own: `jwks` is what was read there last. */
  keys_elsewhere?: true;
  environment: Environment;
  allowed_scopes: Scope[];
  require_pkce: boolean;
  app_kind: AppKind;
  resource_server: boolean;
  token_signing_alg: SigningAlgorithm;
  security_profile: SecurityProfile;
  /** SHA-256 in hex and the time (ms since 1970) from which it is refused. */
  secret_hashes: { id: string; sha256: string; expiresAtMs: number | null }[];
};

/** What the library enforces of FAPI 2.0 by client metadata (§5.3.2.2); the rest by its feature of that name. */
const FAPI2 = { require_pushed_authorization_requests: true, dpop_bound_access_tokens: true };

/** An app as RFC 7591 client metadata, for the library. `keys`: those at its `jwksUri`, which the library doesn't fetch itself. */
export function toClientMetadata(app: OAuthApp, keys: { keys: object[] } = { keys: [] }): AllClientMetadata {
  const jwks = app.jwksUri ? keys : app.jwks;
  const { grantTypes } = APP_KINDS[app.kind];
  const authMethod = authMethodOf(app);
  return {
    client_id: app.id,
    client_name: app.name,
    application_type: app.kind === 'native' ? 'native' : 'web',
    grant_types: [...grantTypes],
    response_types: app.kind === 'service' ? [] : ['code'],
    redirect_uris: app.redirectUris,
    post_logout_redirect_uris: app.postLogoutRedirectUris,
    token_endpoint_auth_method: authMethod,
    ...(jwks ? { jwks: jwks as NonNullable<AllClientMetadata['jwks']> } : {}),
    // The library wants one; the secrets themselves are known as hashes, and `findSecret` compares those.
    ...(authMethod === 'client_secret_basic' ? { client_secret: 'kept-as-sha256' } : {}),
    ...(app.logoUrl ? { logo_uri: app.logoUrl } : {}),
    ...(app.homepageUrl ? { client_uri: app.homepageUrl } : {}),
    ...(app.privacyUrl ? { policy_uri: app.privacyUrl } : {}),
    ...(app.organizationId
      ? { organization_id: app.organizationId, organization_name: app.organizationName }
      : {}),
    app_source: app.source,
    ...(app.jwksUri ? { keys_elsewhere: true } : {}),
    environment: app.environment,
    allowed_scopes: app.scopes,
    require_pkce: app.requirePkce,
    app_kind: app.kind,
    resource_server: app.resourceServer,
    token_signing_alg: app.tokenSigningAlg,
    security_profile: app.securityProfile,
    ...(app.securityProfile === 'fapi2' ? FAPI2 : {}),
    id_token_signed_response_alg: app.tokenSigningAlg,
    secret_hashes: app.secrets.map(({ id, hash, expiresAt }) => ({
      id,
      sha256: hash.toString('hex'),
      expiresAtMs: expiresAt?.getTime() ?? null,
    })),
  };
}
