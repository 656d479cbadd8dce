import { createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import { isIdentityScope, isScope } from '../../config/scopes.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { absent, bad, invalidCredential, type Presented, proven, type Resolver } from './resolve.ts';
import { type Standings, scopesLeftToApp, scopesLeftToUser } from './standing.ts';

/** Between our own machines' clocks. */
const SKEW_SECONDS = 5;
const LONGEST_LIFE_SECONDS = 3600;

/** All that our tokens' headers hold. Others (`jku`, `x5u`, `jwk`, `crit`, …) would say where to take keys or rules from. */
const HEADER = z.strictObject({
  alg: z.literal('RS256'),
  typ: z.literal('JWT'),
  kid: z.string().min(1).max(200),
});

/** Claims that an access token has. An id_token has no `scope`, `client_id` or `org_id`. */
const CLAIMS = z.object({
  sub: z.string().min(1),
  aud: z.string().min(1),
  client_id: z.string().min(1),
  org_id: z.string().min(1),
  jti: z.string().min(1),
  scope: z.string(),
  iat: z.int().nonnegative(),
  exp: z.int().nonnegative(),
});

type AccessTokenClaims = z.output<typeof CLAIMS>;

export type AccessTokenDeps = {
  apiUrl: string;
  /** The public keys. Return the same object for as long as they are the same: imported keys are kept by it. */
  keys(): JSONWebKeySet | Promise<JSONWebKeySet>;
  standings: Standings;
  clock: Clock;
};

/** Knows a credential by its three parts; whether it is a token of ours is seen after that. */
const looksLikeJwt = (credential: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential);

/**
 * Resolves our own JWT access tokens (RFC 9068 in substance, with the customer's `typ`): first what the token says,
 * then whether it still holds.
 */
export function createAccessTokenResolver({ apiUrl, keys, standings, clock }: AccessTokenDeps): Resolver {
  const verify = createVerifier(apiUrl);
  return async ({ credential }) => {
    if (!looksLikeJwt(credential)) return absent;
    const now = clock();
    const claims = await verify(credential, { keys: await keys(), now });
    if (claims instanceof AppError) return bad(claims);

    const { sub, client_id: clientId, org_id: organizationId, jti } = claims;
    const all = claims.scope.split(' ');
    const granted = all.filter(isScope);
    const identityScopes = all.filter(isIdentityScope);
    const proof = (...tags: string[]) => ({
      restsOn: { tags, forMs: claims.exp * 1000 - now.getTime() },
      admits: ({ path }: Presented) =>
        audienceCovers(claims, apiUrl, path) ? undefined : invalidCredential('for another audience'),
    });
    if (sub === clientId) {
      const standing = await standings.ofApp(clientId);
      const scopes = scopesLeftToApp(standing, granted, organizationId);
      if (!standing || !scopes) return bad(revoked());
      const { environment } = standing;
      return proven(
        { method: 'client_credentials', id: clientId, organizationId, clientId, environment, scopes },
        proof(`app:${clientId}`, `organization:${organizationId}`),
      );
    }
    const standing = await standings.ofUser({ userId: sub, appId: clientId, organizationId });
    const scopes = scopesLeftToUser(standing, granted, jti);
    if (!standing || !scopes) return bad(revoked());
    const { environment } = standing;
    return proven(
      {
        method: 'oauth_user',
        id: sub,
        organizationId,
        userId: sub,
        clientId,
        environment,
        scopes,
        ...(identityScopes.length > 0 ? { identityScopes } : {}),
      },
      proof(`user:${sub}`, `app:${clientId}`, `organization:${organizationId}`),
    );
  };
}

type VerifyInput = { keys: JSONWebKeySet; now: Date };

/**
 * Signature, issuer, times and the presence of all claims; the error to answer with when one is wrong. Does NOT
 * check audience or scopes, nor whether person, app and grant still stand.
 */
function createVerifier(
  apiUrl: string,
): (token: string, input: VerifyInput) => Promise<AccessTokenClaims | AppError> {
  const importedKeys = new WeakMap<JSONWebKeySet, ReturnType<typeof createLocalJWKSet>>();
  return async (token, { keys, now }) => {
    const getKey = importedKeys.get(keys) ?? createLocalJWKSet(keys);
    importedKeys.set(keys, getKey);
    try {
      HEADER.parse(decodeProtectedHeader(token));
      const { payload } = await jwtVerify(token, getKey, {
        algorithms: ['RS256'],
        issuer: apiUrl,
        currentDate: now,
        clockTolerance: SKEW_SECONDS,
      });
      const claims = CLAIMS.parse(payload);
      if (claims.iat > epochSeconds(now) + SKEW_SECONDS) return invalidCredential('issued in the future');
      if (claims.exp - claims.iat > LONGEST_LIFE_SECONDS)
        return invalidCredential('lives longer than any of ours');
      return claims;
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        return new AppError(
          'credential_expired',
          'The access token has expired. Get a new one with the refresh token.',
        );
      }
      return invalidCredential(error);
    }
  };
}

/**
 * RFC 8707: a token without a named resource has the client itself as its audience, and is for all of the API; one with
 * a resource is for that and what is below it. Userinfo tells of the person, whatever else the token is for.
 */
function audienceCovers(
  { aud, client_id: clientId }: AccessTokenClaims,
  apiUrl: string,
  path: string,
): boolean {
  if (aud === clientId || aud === apiUrl || path === '/oauth/userinfo') return true;
  const url = apiUrl + path;
  return (
    aud.startsWith(`${apiUrl}/v1`) && (url === aud || url.startsWith(aud.endsWith('/') ? aud : `${aud}/`))
  );
}

const revoked = (): AppError =>
  new AppError(
    'credential_revoked',
    'What this access token rested on was withdrawn: its app, its person or their consent.',
  );
