import type { JSONWebKeySet } from 'jose';
import { isIdentityScope, isScope } from '../../config/scopes.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Caller } from './principal.ts';
import { absent, bad, invalidCredential, type Presented, proven, type Resolver } from './resolve.ts';
import { type Standings, scopesLeftToApp, scopesLeftToUser } from './standing.ts';
import {
  type AccessTokenClaims,
  createVerifier,
  looksLikeJwt,
  type VerifiedToken,
} from './verify-access-token.ts';

export type AccessTokenDeps = {
  apiUrl: string;
  /** The public keys. Return the same object for as long as they are the same: imported keys are kept by it. */
  keys(): JSONWebKeySet | Promise<JSONWebKeySet>;
  standings: Standings;
  clock: Clock;
};

/** A token that holds, and whom it proves. */
export type JudgedToken = VerifiedToken & { principal: Caller };

export type JudgeAccessToken = (token: string) => Promise<JudgedToken | AppError>;

/**
 * Judges our own JWT access tokens (RFC 9068 in substance, with the customer's `typ`): first what the token says, then
 * whether it still holds. Does NOT check its audience, nor who presents it. The error is for the bearer of the token.
 */
export function createAccessTokenJudge({
  apiUrl,
  keys,
  standings,
  clock,
}: AccessTokenDeps): JudgeAccessToken {
  const verify = createVerifier(apiUrl);
  return async (token) => {
    const verified = await verify(token, { keys: await keys(), now: clock() });
    if (verified instanceof AppError) return verified;
    const { claims, kid } = verified;
    const { sub, client_id: clientId, org_id: organizationId, jti } = claims;
    const all = claims.scope.split(' ');
    const granted = all.filter(isScope);
    const identityScopes = all.filter(isIdentityScope);

    if (sub === clientId) {
      const standing = await standings.ofApp({ appId: clientId, jti, kid });
      const scopes = scopesLeftToApp(standing, granted, organizationId);
      if (!standing || !scopes) return revoked();
      const { environment, allowance } = standing;
      const principal: Caller = {
        method: 'client_credentials',
        id: clientId,
        organizationId,
        clientId,
        environment,
        scopes,
        allowance,
      };
      return { ...verified, principal };
    }
    const standing = await standings.ofUser({ userId: sub, appId: clientId, organizationId, jti, kid });
    const scopes = scopesLeftToUser(standing, granted, jti);
    if (!standing || !scopes) return revoked();
    const { environment, allowance } = standing;
    const principal: Caller = {
      method: 'oauth_user',
      id: sub,
      organizationId,
      userId: sub,
      clientId,
      environment,
      scopes,
      allowance,
      ...(identityScopes.length > 0 ? { identityScopes } : {}),
    };
    return { ...verified, principal };
  };
}

/** The same as one of the resolvers of `/v1`: adds what the proof rests on, and for which paths the token is. */
export function createAccessTokenResolver({
  apiUrl,
  judge,
  clock,
}: Pick<AccessTokenDeps, 'apiUrl' | 'clock'> & { judge: JudgeAccessToken }): Resolver {
  return async ({ credential }) => {
    if (!looksLikeJwt(credential)) return absent;
    const judged = await judge(credential);
    if (judged instanceof AppError) return bad(judged);
    const { claims, kid, principal } = judged;
    const { organizationId, clientId, userId } = principal;
    return proven(principal, {
      ...(claims.cnf ? { boundTo: claims.cnf.jkt } : {}),
      restsOn: {
        tags: [
          `token:${claims.jti}`,
          `signing-key:${kid}`,
          `app:${clientId}`,
          `organization:${organizationId}`,
          ...(userId ? [`user:${userId}`] : []),
        ],
        forMs: claims.exp * 1000 - clock().getTime(),
      },
      admits: ({ path }: Presented) =>
        audienceCovers(claims, apiUrl, path) ? undefined : invalidCredential('for another audience'),
    });
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
  if (aud === clientId || aud === apiUrl || aud === `${apiUrl}/` || path === '/oauth/userinfo') return true;
  const url = apiUrl + path;
  return (
    aud.startsWith(`${apiUrl}/v1`) && (url === aud || url.startsWith(aud.endsWith('/') ? aud : `${aud}/`))
  );
}

const revoked = (): AppError =>
  new AppError(
    'credential_revoked',
    'This access token was revoked, or what it rested on was withdrawn: its app, its person or their consent.',
  );
