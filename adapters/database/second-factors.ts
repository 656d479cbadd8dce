import type { Passkey, SecondFactorStore } from '../../src/accounts/second-factor.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

type PasskeyRow = {
  id: string;
  user_id: string;
  name: string;
  credential_id: Buffer;
  public_key: Buffer;
  sign_count: string;
  transports: string[];
  created_at: Date;
  last_used_at: Date | null;
};

type FactorsRow = { created_at: Date | null; last_used_at: Date | null; codes_left: number };

/** TOTP secrets (sealed by the caller), passkeys, recovery codes (hashed by the caller), spent challenges. */
export function createSecondFactorStore(database: Database): SecondFactorStore {
  const table = (name: string) => database.sql()(name);

  return {
    lock: async (userId) => {
      await table('users').where({ id: userId }).forNoKeyUpdate().first('id');
    },
    factorsOf: async (userId) => {
      const { rows } = await database.sql().raw<{ rows: FactorsRow[] }>(
        `SELECT t.created_at, t.last_used_at,
                (SELECT count(*)::int FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS codes_left
         FROM users u LEFT JOIN totp_factors t ON t.user_id = u.id WHERE u.id = ?`,
        [userId],
      );
      const passkeys = await table('passkeys')
        .where({ user_id: userId })
        .orderBy([{ column: 'created_at' }, { column: 'id' }])
        .select<PasskeyRow[]>();
      const [row] = rows;
      return {
        totp:
          row?.created_at && row.last_used_at
            ? { createdAt: row.created_at, lastUsedAt: row.last_used_at }
            : undefined,
        passkeys: passkeys.map(toPasskey),
        recoveryCodesLeft: row?.codes_left ?? 0,
      };
    },
    hasAny: async (userId) => {
      const { rows } = await database.sql().raw<{ rows: { has: boolean }[] }>(
        `SELECT EXISTS (SELECT FROM totp_factors WHERE user_id = :userId)
             OR EXISTS (SELECT FROM passkeys WHERE user_id = :userId) AS has`,
        { userId },
      );
      return rows[0]?.has === true;
    },

    insertTotp: async ({ userId, sealedSecret, step }) => {
      const inserted = await table('totp_factors')
        .insert({ user_id: userId, sealed_secret: sealedSecret, last_step: step })
        .onConflict('user_id')
        .ignore()
        .returning('user_id');
      return inserted.length === 1;
    },
    sealedTotpOf: async (userId) => {
      const row = await table('totp_factors')
        .where({ user_id: userId })
        .first<{ sealed_secret: Buffer } | undefined>('sealed_secret');
      return row?.sealed_secret;
    },
    spendTotpStep: async (userId, step) => {
      const changed = await table('totp_factors')
        .where({ user_id: userId })
        .where('last_step', '<', step)
        .update({ last_step: step, last_used_at: database.sql().fn.now() });
      return changed === 1;
    },
    deleteTotp: async (userId) => (await table('totp_factors').where({ user_id: userId }).delete()) === 1,

    insertPasskey: async (passkey) => {
      const inserted = await table('passkeys')
        .insert({
          id: passkey.id,
          user_id: passkey.userId,
          name: passkey.name,
          credential_id: passkey.credentialId,
          public_key: passkey.publicKey,
          sign_count: passkey.signCount,
          transports: passkey.transports,
        })
        .onConflict('credential_id')
        .ignore()
        .returning('id');
      return inserted.length === 1;
    },
    findPasskey: async (credentialId) => {
      const row = await table('passkeys')
        .where({ credential_id: credentialId })
        .first<PasskeyRow | undefined>();
      return row && toPasskey(row);
    },
    recordPasskeyUse: async (id, signCount) => {
      await table('passkeys')
        .where({ id })
        .update({ sign_count: signCount, last_used_at: database.sql().fn.now() });
    },
    renamePasskey: async (userId, id, name) =>
      (await table('passkeys').where({ id, user_id: userId }).update({ name })) === 1,
    deletePasskey: async (userId, id) => {
      const [row] = await table('passkeys')
        .where({ id, user_id: userId })
        .delete()
        .returning<{ name: string }[]>('name');
      return row?.name;
    },
    spendChallenge: async (hash, ttlSeconds) => {
      const inserted = await table('spent_challenges')
        .insert({
          challenge_hash: hash,
          expires_at: database.sql().raw("now() + ? * interval '1 second'", [ttlSeconds]),
        })
        .onConflict('challenge_hash')
        .ignore()
        .returning('expires_at');
      return inserted.length === 1;
    },

    replaceRecoveryCodes: async (userId, hashes) => {
      await table('recovery_codes').where({ user_id: userId }).delete();
      if (hashes.length === 0) return;
      await table('recovery_codes').insert(hashes.map((hash) => ({ user_id: userId, code_hash: hash })));
    },
    spendRecoveryCode: async (userId, hash) => {
      const changed = await table('recovery_codes')
        .where({ user_id: userId, code_hash: hash })
        .whereNull('used_at')
        .update({ used_at: database.sql().fn.now() });
      return changed === 1;
    },

    sweep: (most) =>
      clearSome(
        database,
        { table: 'spent_challenges', key: 'challenge_hash', condition: 'expires_at < now()' },
        most,
      ),
  };
}

const toPasskey = (row: PasskeyRow): Passkey => ({
  id: row.id,
  userId: row.user_id,
  name: row.name,
  credentialId: row.credential_id,
  publicKey: row.public_key,
  signCount: Number(row.sign_count),
  transports: row.transports,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at ?? undefined,
});
