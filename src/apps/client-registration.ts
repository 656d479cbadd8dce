import { z } from 'zod';
import type { AppKind } from '../../config/app-kinds.ts';
import { DEVICE_CODE } from '../../config/app-kinds.ts';
import { ALL_SCOPES, isScope, type Scope, sortScopes } from '../../config/scopes.ts';
import { displayName } from '../kernel/schemas.ts';
import type { App } from './app.ts';
import { type Jwks, jwksFault, jwksUriFault } from './jwks.ts';
import { logoutUriFaults, redirectUriFaults } from './redirect-uri.ts';

/** What an app that nobody answers for may ask for: all but to manage an organization. */
const UNVERIFIED_SCOPES: readonly Scope[] = ALL_SCOPES.filter((scope) => scope !== 'organization:admin');

/** RFC 7591 §3.2.2. */
export class ClientMetadataError extends Error {
  override readonly name = 'ClientMetadataError';
  readonly code: 'invalid_redirect_uri' | 'invalid_client_metadata' | 'invalid_client';

  constructor(code: ClientMetadataError['code'], description: string) {
    super(description);
    this.code = code;
  }
}

/** What client metadata comes to here. */
export type ClientFields = Pick<
  App,
  | 'name'
  | 'kind'
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'scopes'
  | 'jwks'
  | 'jwksUri'
  | 'homepageUrl'
  | 'privacyUrl'
>;

const uris = z.array(z.string()).max(100);
const httpsUrl = z
  .string()
  .max(2_000)
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === 'https:' && url.username === '' && !/[^\x21-\x7e]|["<>\\^`{|}]/.test(text);
  }, 'must be an https URL');

/** Loose: what is unknown is ignored (RFC 7591 §2), members of our own included. */
const METADATA = z.object({
  redirect_uris: uris.optional(),
  post_logout_redirect_uris: uris.optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional(),
  grant_types: z.array(z.enum(['authorization_code', 'refresh_token', DEVICE_CODE])).optional(),
  response_types: z.array(z.literal('code')).optional(),
  application_type: z.enum(['web', 'native']).optional(),
  client_name: displayName.optional(),
  client_uri: httpsUrl.optional(),
  policy_uri: httpsUrl.optional(),
  scope: z.string().max(2_000).optional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) }).optional(),
  jwks_uri: z.string().max(2_000).optional(),
  client_secret: z.undefined('must not be chosen by the client').optional(),
  client_secret_expires_at: z.undefined('must not be chosen by the client').optional(),
});

type Metadata = z.output<typeof METADATA>;

/**
 * RFC 7591 client metadata as an app of ours; throws ClientMetadataError. Pure. From a document no app has a secret: what is
 * public can't hold one.
 */
export function readClientMetadata(
  value: unknown,
  { from }: { from: 'registration' | 'document' },
): ClientFields {
  const parsed = METADATA.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') || 'the metadata'}: ${issue?.message ?? 'is not valid'}`);
  }
  const metadata = parsed.data;
  const method =
    metadata.token_endpoint_auth_method ?? (from === 'document' ? 'none' : 'client_secret_basic');
  if (from === 'document' && method.startsWith('client_secret'))
    throw invalid('a document can hold no secret');
  const redirectUris = metadata.redirect_uris ?? [];
  const kind = kindOf(metadata, method === 'none', redirectUris);
  checkUris(redirectUris, metadata.post_logout_redirect_uris ?? [], kind);
  if (metadata.grant_types && !metadata.grant_types.includes('authorization_code')) {
    throw invalid('grant_types: must hold authorization_code');
  }
  if (kind !== 'native' && metadata.grant_types?.includes(DEVICE_CODE)) {
    throw invalid('grant_types: the device grant is for public native apps alone');
  }
  return {
    name: metadata.client_name ?? nameFrom(redirectUris),
    kind,
    redirectUris,
    postLogoutRedirectUris: metadata.post_logout_redirect_uris ?? [],
    scopes: scopesOf(metadata.scope),
    ...keysOf(metadata, method === 'private_key_jwt'),
    homepageUrl: metadata.client_uri,
    privacyUrl: metadata.policy_uri,
  };
}

const invalid = (description: string): ClientMetadataError =>
  new ClientMetadataError('invalid_client_metadata', description);

/** RFC 8252: a public app that is called back on the device itself is a native one, whatever it says or leaves out. */
function kindOf(
  { application_type: type }: Metadata,
  isPublic: boolean,
  redirectUris: readonly string[],
): Exclude<AppKind, 'service'> {
  if (!isPublic) return 'web';
  const onDevice = redirectUris.every((uri) => !uri.startsWith('https://'));
  return type === 'native' || onDevice ? 'native' : 'spa';
}

function checkUris(redirectUris: readonly string[], logoutUris: readonly string[], kind: AppKind): void {
  const [fault] = redirectUriFaults(redirectUris, kind);
  if (fault) throw new ClientMetadataError('invalid_redirect_uri', `redirect_uris: ${fault.message}`);
  const [logoutFault] = logoutUriFaults(logoutUris, kind);
  if (logoutFault) throw invalid(`post_logout_redirect_uris: ${logoutFault.message}`);
}

/** RFC 7591 §2: the server may narrow it. What is unknown, or not for an app like this, is left out. */
const scopesOf = (scope: string | undefined): Scope[] =>
  scope === undefined
    ? [...UNVERIFIED_SCOPES]
    : sortScopes(scope.split(' ').filter(isScope)).filter((name) => UNVERIFIED_SCOPES.includes(name));

function keysOf(
  { jwks, jwks_uri: jwksUri }: Metadata,
  needed: boolean,
): { jwks: Jwks | undefined; jwksUri: string | undefined } {
  if (!needed) return { jwks: undefined, jwksUri: undefined };
  if ((jwks === undefined) === (jwksUri === undefined))
    throw invalid('private_key_jwt needs jwks or jwks_uri, one of them');
  const fault = jwks ? jwksFault(jwks) : jwksUriFault(jwksUri as string);
  if (fault) throw invalid(`${jwks ? 'jwks' : 'jwks_uri'}: ${fault}`);
  return { jwks, jwksUri };
}

const nameFrom = ([uri]: readonly string[]): string =>
  (uri === undefined ? undefined : URL.parse(uri)?.host || URL.parse(uri)?.protocol)?.slice(0, 100) ||
  'An app';
