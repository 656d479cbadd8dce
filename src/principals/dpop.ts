import { hash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTVerifyResult, jwtVerify } from 'jose';
import { z } from 'zod';
import { DPOP_ALGORITHMS } from '../../config/jwa.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { DpopNonces } from './dpop-nonces.ts';
import type { Presented, ProveKey } from './resolve.ts';

/** RFC 9449 §11.1: how far `iat` may be from our clock, for a proof without a nonce. */
const IAT_WINDOW_SECONDS = 300;
/** A proof is remembered for as long as it could be accepted: its `iat` may be ahead as well as behind. */
const REMEMBERED_SECONDS = 2 * IAT_WINDOW_SECONDS;
const LONGEST_PROOF = 8_000;

const CLAIMS = z.object({
  jti: z.string().min(1).max(500),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
  nonce: z.string().optional(),
});

export type DpopDeps = {
  apiUrl: string;
  clock: Clock;
  nonces: DpopNonces;
  requireNonce: boolean;
  /**
   * Notes that `key` was used. MUST be true for one caller alone, on all processes together, until `seconds` have passed.
   */
  useOnce(key: string, seconds: number): Promise<boolean>;
};

/**
 * RFC 9449 §4.3 and §7.1, for a request with an access token. `boundTo`: the thumbprint of the key that the token
 * belongs to. A bound token without its proof is refused, and so is any other credential that comes with the scheme DPoP.
 */
export function createProveKey(deps: DpopDeps): ProveKey {
  return async (presented, boundTo) => {
    if (!presented.dpop) {
      throw refused(
        'invalid_token',
        'This access token is bound to a key: send it as "DPoP", with its proof.',
      );
    }
    if (boundTo === undefined) {
      throw refused('invalid_token', 'This credential is bound to no key: send it as "Bearer".');
    }
    const [proof, more] = presented.dpop.proofs;
    if (proof === undefined || more !== undefined || proof.length > LONGEST_PROOF) {
      throw refused('invalid_dpop_proof', 'Send one DPoP header with one proof.');
    }
    const { jkt, jti } = await verifyProof(proof, presented, deps);
    if (jkt !== boundTo) {
      throw refused(
        'invalid_token',
        'The proof is of another key than the one that the access token is bound to.',
      );
    }
    if (!(await deps.useOnce(`${jkt}\0${jti}`, REMEMBERED_SECONDS))) {
      throw refused('invalid_dpop_proof', 'This proof was used already: make one for each request.');
    }
  };
}

/** The checks of RFC 9449 §4.3 but for the key itself and single use. */
async function verifyProof(
  proof: string,
  { credential, path, dpop }: Presented,
  { apiUrl, clock, nonces, requireNonce }: DpopDeps,
): Promise<{ jkt: string; jti: string }> {
  let verified: JWTVerifyResult;
  try {
    verified = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...DPOP_ALGORITHMS],
      typ: 'dpop+jwt',
      currentDate: clock(),
    });
  } catch (error) {
    throw refused('invalid_dpop_proof', 'The proof is no JWT that its own key has signed.', error);
  }
  const claims = CLAIMS.safeParse(verified.payload);
  if (!claims.success) throw refused('invalid_dpop_proof', 'The proof needs jti, htm, htu, iat and ath.');
  const { jti, htm, htu, iat, ath, nonce } = claims.data;
  if (htm !== dpop?.method) throw refused('invalid_dpop_proof', 'The proof is for another method (htm).');
  if (!isSameTarget(htu, apiUrl + path))
    throw refused('invalid_dpop_proof', 'The proof is for another URL (htu).');
  if (ath !== hash('sha256', credential, 'base64url')) {
    throw refused('invalid_dpop_proof', 'The proof is for another access token (ath).');
  }
  const isRecent = Math.abs(epochSeconds(clock()) - iat) <= IAT_WINDOW_SECONDS;
  if (nonce === undefined ? requireNonce || !isRecent : !nonces.isCurrent(nonce)) {
    throw refused(
      'use_dpop_nonce',
      'Make the proof again, with the nonce of the DPoP-Nonce header.',
      undefined,
      {
        dpopNonce: nonces.next(),
      },
    );
  }
  const { jwk } = verified.protectedHeader;
  if (!jwk) throw refused('invalid_dpop_proof', 'The proof carries no key.');
  return { jkt: await calculateJwkThumbprint(jwk), jti };
}

/** RFC 9449 §4.3: compared without query and fragment, after normalization (RFC 3986 §6.2.2, §6.2.3). */
function isSameTarget(htu: string, target: string): boolean {
  const [claimed, actual] = [URL.parse(htu), URL.parse(target)];
  return (
    claimed !== null &&
    actual !== null &&
    claimed.origin + claimed.pathname === actual.origin + actual.pathname
  );
}

const refused = (
  dpopError: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce',
  detail: string,
  cause?: unknown,
  more: { dpopNonce?: string } = {},
): AppError => new AppError('invalid_credential', detail, { dpopError, ...more }, { cause });
