import type { JWK } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { Sealer } from '../../src/kernel/sealing.ts';
import type { SigningKeyStatus, SigningKeyStore } from '../../src/oauth/signing-key.ts';
import type { Database } from './database.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const publicPart = (jwk: JWK): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.includes(name))) as JWK;

/** Signing keys: the private half is sealed, and bound to its kid so that rows can't be swapped. */
export function createSigningKeyStore(database: Database, sealer: Sealer): SigningKeyStore {
  const context = (kid: string) => `signing_keys/${kid}`;

  return {
    list: async () => {
      const rows = await database
        .sql()('signing_keys')
        .select<
          { kid: string; algorithm: SigningAlgorithm; status: SigningKeyStatus; sealed_private_jwk: Buffer }[]
        >('kid', 'algorithm', 'status', 'sealed_private_jwk')
        .orderByRaw("array_position(ARRAY['current', 'next', 'retired'], status), created_at DESC");
      return rows.map((row) => ({
        kid: row.kid,
        algorithm: row.algorithm,
        status: row.status,
        privateJwk: JSON.parse(sealer.open(row.sealed_private_jwk, context(row.kid))) as JWK,
      }));
    },
    insertFirst: async (key) => {
      await database.sql().raw(
        `INSERT INTO signing_keys (kid, algorithm, status, public_jwk, sealed_private_jwk)
         VALUES (?, ?, 'current', ?, ?)
         ON CONFLICT (algorithm) WHERE status = 'current' DO NOTHING`,
        [
          key.kid,
          key.algorithm,
          JSON.stringify(publicPart(key.privateJwk)),
          sealer.seal(JSON.stringify(key.privateJwk), context(key.kid)),
        ],
      );
    },
  };
}
