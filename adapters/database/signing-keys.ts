import type { JWK } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { Sealer } from '../../src/kernel/sealing.ts';
import type { SigningKeyFacts, SigningKeyStatus, SigningKeyStore } from '../../src/oauth/signing-key.ts';
import type { Database } from './database.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Any number that nobody else locks; the same in every process. */
const KEYS_LOCK = 727_002;

type Row = {
  kid: string;
  algorithm: SigningAlgorithm;
  status: SigningKeyStatus;
  created_at: Date;
  activated_at: Date | null;
  rotation_requested_at: Date | null;
  retired_at: Date | null;
};

const publicPart = (jwk: JWK): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.includes(name))) as JWK;

/** Signing keys: the private half is sealed, and bound to its kid so that rows can't be swapped. */
export function createSigningKeyStore(database: Database, sealer: Sealer): SigningKeyStore {
  const context = (kid: string) => `signing_keys/${kid}`;
  const now = () => database.sql().fn.now();
  const key = (kid: string) => database.sql()('signing_keys').where({ kid });
  const inOrder = () =>
    database
      .sql()('signing_keys')
      .orderByRaw(
        `array_position(ARRAY['current', 'next', 'retired'], status),
         array_position(ARRAY['RS256', 'ES256', 'EdDSA'], algorithm), created_at DESC, kid`,
      );

  return {
    list: async () => {
      const rows = await inOrder().select<(Row & { sealed_private_jwk: Buffer })[]>();
      return rows.map((row) => ({
        ...toFacts(row),
        privateJwk: JSON.parse(sealer.open(row.sealed_private_jwk, context(row.kid))) as JWK,
      }));
    },
    facts: async () => {
      const { rows } = await database.sql().raw<{ rows: { at: Date }[] }>('SELECT now() AS at');
      const found = await inOrder().select<Row[]>(
        'kid',
        'algorithm',
        'status',
        'created_at',
        'activated_at',
        'rotation_requested_at',
        'retired_at',
      );
      return { keys: found.map(toFacts), now: rows[0]?.at ?? new Date() };
    },
    lock: async () => {
      await database.sql().raw('SELECT pg_advisory_xact_lock(?)', [KEYS_LOCK]);
    },
    insert: async ({ kid, algorithm, privateJwk }, status) => {
      await database
        .sql()('signing_keys')
        .insert({
          kid,
          algorithm,
          status,
          public_jwk: JSON.stringify(publicPart(privateJwk)),
          sealed_private_jwk: sealer.seal(JSON.stringify(privateJwk), context(kid)),
          activated_at: status === 'current' ? now() : null,
        });
    },
    activate: async (kid) => {
      await key(kid).update({ status: 'current', activated_at: now() });
    },
    retire: async (kid) => {
      await key(kid).update({ status: 'retired', retired_at: now() });
    },
    requestRotation: async () => {
      await database
        .sql()('signing_keys')
        .where({ status: 'current' })
        .whereNull('rotation_requested_at')
        .update({ rotation_requested_at: now() });
    },
    delete: async (kid) => (await key(kid).delete()) === 1,
  };
}

const toFacts = (row: Row): SigningKeyFacts => ({
  kid: row.kid,
  algorithm: row.algorithm,
  status: row.status,
  publishedAt: row.created_at,
  activatedAt: row.activated_at ?? undefined,
  rotationRequestedAt: row.rotation_requested_at ?? undefined,
  retiredAt: row.retired_at ?? undefined,
});
