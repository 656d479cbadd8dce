import { createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../../config/signing-algorithms.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { invalidCredential } from './resolve.ts';

/** Between our own machines' clocks. */
const SKEW_SECONDS = 5;
const LONGEST_LIFE_SECONDS = 3600;

/** All that our tokens' headers hold. Others (`jku`, `x5u`, `jwk`, `crit`, …) would say where to take keys or rules from. */
const HEADER = z.strictObject({
  alg: z.enum(SIGNING_ALGORITHMS),
  typ: z.literal('JWT'),
  kid: z.string().min(1).max(200),
});

/** Claims that an access token has. An id_token has no `scope`, `client_id` or `org_id`. */
const CLAIMS = z.object({
  sub: z.string().min(1),
  aud: z.string().min(1),
  client_id: z.string().min(1),
  org_id: z.string().min(1),
  jti: z.string().min(1).max(200),
  scope: z.string(),
  iat: z.int().nonnegative(),
  exp: z.int().nonnegative(),
  env: z.literal('test').optional(),
  /** RFC 9449 §6.1: the key that its bearer has to prove. Any other confirmation is one that we can't check. */
  cnf: z.strictObject({ jkt: z.string().min(1) }).optional(),
});

export type AccessTokenClaims = z.output<typeof CLAIMS>;

/** `kid`: the key that signed it. */
export type VerifiedToken = { claims: AccessTokenClaims; kid: string };

type VerifyInput = { keys: JSONWebKeySet; now: Date };

/** Knows a credential by its three parts; whether it is a token of ours is seen after that. */
export const looksLikeJwt = (credential: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential);

/**
 * Signature, issuer, times and the presence of all claims; the error to answer with when one is wrong. A key verifies
 * for its own algorithm alone. Does NOT check audience or scopes, nor whether person, app and grant still stand.
 */
export function createVerifier(
  apiUrl: string,
): (token: string, input: VerifyInput) => Promise<VerifiedToken | AppError> {
  const importedKeys = new WeakMap<JSONWebKeySet, ReturnType<typeof createLocalJWKSet>>();
  return async (token, { keys, now }) => {
    const getKey = importedKeys.get(keys) ?? createLocalJWKSet(keys);
    importedKeys.set(keys, getKey);
    try {
      const { kid } = HEADER.parse(decodeProtectedHeader(token));
      const { payload } = await jwtVerify(token, getKey, {
        algorithms: [...SIGNING_ALGORITHMS],
        issuer: apiUrl,
        currentDate: now,
        clockTolerance: SKEW_SECONDS,
      });
      const claims = CLAIMS.parse(payload);
      if (claims.iat > epochSeconds(now) + SKEW_SECONDS) return invalidCredential('issued in the future');
      if (claims.exp - claims.iat > LONGEST_LIFE_SECONDS)
        return invalidCredential('lives longer than any of ours');
      return { claims, kid };
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
