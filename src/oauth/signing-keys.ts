import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { SigningKey, SigningKeyStore } from './signing-key.ts';

const RSA_BITS = 2048;

/**
 * The keys to start with: made on the first start, in the database from then on. Several processes that
 * start together all make a pair and agree on the one that was stored first.
 */
export async function loadSigningKeys(store: SigningKeyStore): Promise<SigningKey[]> {
  const keys = await store.list();
  if (keys.some((key) => key.status === 'current' && key.algorithm === 'RS256')) return keys;
  await store.insertFirst(await generateSigningKey());
  return store.list();
}

/** A new RS256 pair; its kid is the RFC 7638 thumbprint, so that equal keys have equal names everywhere. */
async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: RSA_BITS, extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    algorithm: 'RS256',
    status: 'current',
    privateJwk: { ...jwk, kid, alg: 'RS256', use: 'sig' },
  };
}

/** What anybody may know of the keys: for verifying, and for the JWKS. */
export function publicJwks(keys: readonly SigningKey[]): { keys: JWK[] } {
  return {
    keys: keys.map(
      ({ privateJwk: { kty, n, e, crv, x, y, kid, alg, use } }) =>
        Object.fromEntries(
          Object.entries({ kty, n, e, crv, x, y, kid, alg, use }).filter(([, value]) => value !== undefined),
        ) as JWK,
    ),
  };
}
