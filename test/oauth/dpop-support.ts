import { hash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** A key of a client, and the proofs that it makes. */
export type DpopKey = {
  jkt: string;
  publicJwk: JWK;
  /** `claims` and `header` override; a member given as undefined is left out. */
  prove(
    request: { method: string; url: string; accessToken?: string },
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
  ): Promise<string>;
};

export async function createDpopKey(alg = 'ES256'): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  return {
    publicJwk,
    jkt: await calculateJwkThumbprint(publicJwk),
    prove: ({ method, url, accessToken }, claims = {}, header = {}) => {
      const payload: JWTPayload = {
        jti: randomUUID(),
        htm: method,
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ...(accessToken === undefined ? {} : { ath: hash('sha256', accessToken, 'base64url') }),
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: publicJwk, ...header })
        .sign(privateKey);
    },
  };
}
