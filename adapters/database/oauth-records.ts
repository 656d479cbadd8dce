import { createHash } from 'node:crypto';
import type { Sealer } from '../../src/kernel/sealing.ts';
import type { RefreshTokenOwner } from '../../src/oauth/leaked-token.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

/** The lock of all that hangs on one grant, held until the transaction ends. `id`: an SQL expression. */
export const familyLock = (id: string): string => `pg_advisory_xact_lock(hashtextextended(${id}, 0))`;

/** Rows are kept this long past their time, so that a clock that is a little off doesn't lose them. */
export const KEPT_PAST_EXPIRY = "interval '15 seconds'";

export const hashId = (kind: string, id: string): Buffer =>
  createHash('sha256').update(`${kind}\0${id}`).digest();

/** What a record's uid, which stays the same when its id changes, is looked up by. */
export const uidHash = (sealer: Sealer, kind: string, uid: string): Buffer => sealer.mac(uid, `${kind}/uid`);

/** What the rest of the OAuth code asks of the same table. */
export function createRecordStore(database: Database, sealer: Sealer) {
  const spentRefreshToken = (token: string) =>
    database
      .sql()('oauth_records')
      .where({ id_hash: hashId('RefreshToken', token), kind: 'RefreshToken' })
      .whereNotNull('consumed_at');

  return {
    /** Keeps a rotation's answer, sealed, with the refresh token that it spent. */
    keepAnswer: async (token: string, answer: string): Promise<void> => {
      await spentRefreshToken(token).update({ sealed_answer: sealer.seal(answer, 'RefreshToken/answer') });
    },
    /** That answer, if the token was spent at most `graceSeconds` ago. */
    keptAnswer: async (token: string, graceSeconds: number): Promise<string | undefined> => {
      const row = await spentRefreshToken(token)
        .whereNotNull('sealed_answer')
        .whereRaw("consumed_at > now() - ? * interval '1 second'", [graceSeconds])
        .first<{ sealed_answer: Buffer } | undefined>('sealed_answer');
      return row && sealer.open(row.sealed_answer, 'RefreshToken/answer');
    },
    /** Forgets at most `most` answers whose time to be repeated is over; returns how many. Waits for no token request. */
    forgetAnswers: async (graceSeconds: number, most: number): Promise<number> => {
      const { rowCount } = await database.sql().raw<{ rowCount: number }>(
        `WITH past AS MATERIALIZED (
           SELECT id_hash FROM oauth_records
           WHERE sealed_answer IS NOT NULL AND consumed_at < now() - :graceSeconds * interval '1 second'
           LIMIT :most FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE oauth_records SET sealed_answer = NULL FROM past WHERE oauth_records.id_hash = past.id_hash`,
        { graceSeconds, most },
      );
      return rowCount;
    },
    /** Notes a use in one statement, which one caller can win: true for that one, until `seconds` have passed. */
    useOnce: async (key: string, seconds: number): Promise<boolean> => {
      const { rows } = await database.sql().raw<{ rows: unknown[] }>(
        `INSERT INTO oauth_records (kind, id_hash, payload, expires_at)
         VALUES ('ReplayDetection', ?, '{}', now() + ? * interval '1 second')
         ON CONFLICT (id_hash) DO UPDATE SET expires_at = excluded.expires_at
         WHERE oauth_records.expires_at < now() RETURNING kind`,
        [hashId('ReplayDetection', key), seconds],
      );
      return rows.length === 1;
    },
    keepInitialAccessToken: async (token: string, seconds: number): Promise<void> => {
      await database.sql().raw(
        `INSERT INTO oauth_records (kind, id_hash, payload, expires_at)
         VALUES ('InitialAccessToken', ?, '{}', now() + ? * interval '1 second')`,
        [hashId('InitialAccessToken', token), seconds],
      );
    },
    /** False when there is none. */
    dropInitialAccessToken: async (token: string): Promise<boolean> =>
      (await database
        .sql()('oauth_records')
        .where({ id_hash: hashId('InitialAccessToken', token), kind: 'InitialAccessToken' })
        .delete()) === 1,
    isInitialAccessToken: async (token: string): Promise<boolean> => {
      const row = await database
        .sql()('oauth_records')
        .where({ id_hash: hashId('InitialAccessToken', token), kind: 'InitialAccessToken' })
        .whereRaw('expires_at > now()')
        .first<{ kind: string } | undefined>('kind');
      return row !== undefined;
    },
    /** Notes that a device asks for its token; false when it did so less than `seconds` ago. */
    notePoll: async (deviceCode: string, seconds: number): Promise<boolean> => {
      const noted = await database
        .sql()('oauth_records')
        .where({ id_hash: hashId('DeviceCode', deviceCode), kind: 'DeviceCode' })
        .whereRaw("(polled_at IS NULL OR polled_at <= now() - ? * interval '1 second')", [seconds])
        .update({ polled_at: database.sql().fn.now() });
      return noted === 1;
    },
    /** Whose a refresh token is, spent ones included, as long as it is kept. */
    ownerOfRefreshToken: async (token: string): Promise<RefreshTokenOwner | undefined> =>
      database
        .sql()('oauth_records AS r')
        .join('grants AS g', 'g.id', 'r.grant_id')
        .join('apps AS a', 'a.id', 'g.app_id')
        .where({ 'r.id_hash': hashId('RefreshToken', token), 'r.kind': 'RefreshToken' })
        .first<RefreshTokenOwner | undefined>(
          'g.id AS grantId',
          'g.user_id AS userId',
          'g.app_id AS appId',
          'g.organization_id AS organizationId',
          'a.environment',
        ),
    /** Everything that hangs on a grant. Callers that revoke at once wait for each other instead of deadlocking. */
    deleteByGrant: async (grantId: string): Promise<void> => {
      await database.sql().raw(`SELECT ${familyLock('?::text')}`, [grantId]);
      await database.sql()('oauth_records').where({ grant_id: grantId }).delete();
    },
    /** Deletes at most `most` rows past their time; returns how many. */
    sweep: (most: number): Promise<number> =>
      clearSome(
        database,
        { table: 'oauth_records', key: 'id_hash', condition: `expires_at < now() - ${KEPT_PAST_EXPIRY}` },
        most,
      ),
  };
}
