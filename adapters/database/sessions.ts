import type { Sealer } from '../../src/kernel/sealing.ts';
import type { SessionStore } from '../../src/oauth/session-store.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';
import { alone, sharing } from './locks.ts';
import { uidHash } from './oauth-records.ts';

type Row = {
  id: string;
  user_agent: string | null;
  ip: string | null;
  signed_in_at: Date;
  last_seen_at: Date;
};

/** The sessions of oauth_records, joined with what is known of each browser. */
export function createSessionStore(database: Database, sealer: Sealer): SessionStore {
  const hashOf = (uid: string): Buffer => uidHash(sealer, 'Session', uid);
  const records = () => database.sql()('oauth_records').where({ kind: 'Session' });
  /** Waits for sessions that are being written, and they for this: each is seen here, or sees that it is ended. */
  const holdSessions = (userId: string) =>
    database.sql().raw(`SELECT ${alone('sessions', ':userId')}`, { userId });

  return {
    holdEpoch: async (userId) => {
      // In two statements: one alone would read the row as it was before it waited for the lock.
      await database.sql().raw(`SELECT ${sharing('sessions', ':userId')}`, { userId });
      const row = await database
        .sql()('users')
        .where({ id: userId })
        .first<{ session_epoch: number } | undefined>('session_epoch');
      return row?.session_epoch;
    },
    stands: async (uid) =>
      (await records()
        .where({ uid_hash: hashOf(uid) })
        .first('kind')) !== undefined,
    recordSignIn: async ({ uid, userId, userAgent, ip }) => {
      await database.sql().raw(
        `INSERT INTO session_details AS d (uid_hash, user_id, user_agent, ip) VALUES (:hash, :userId, :userAgent, :ip)
         ON CONFLICT (uid_hash) DO UPDATE SET user_id = excluded.user_id, user_agent = excluded.user_agent,
           ip = excluded.ip, last_seen_at = now(),
           signed_in_at = CASE WHEN d.user_id = excluded.user_id THEN d.signed_in_at ELSE now() END`,
        { hash: hashOf(uid), userId, userAgent, ip },
      );
    },
    recordSeen: async (seen) => {
      // In one order everywhere, so that processes that write at once wait for each other instead of deadlocking.
      await database.sql().raw(
        `WITH seen AS MATERIALIZED (
           SELECT d.uid_hash, s.ip, s.at
           FROM unnest(:hashes::bytea[], :ips::text[], :times::timestamptz[]) AS s (hash, ip, at)
           JOIN session_details d ON d.uid_hash = s.hash ORDER BY 1 FOR NO KEY UPDATE OF d)
         UPDATE session_details AS d SET last_seen_at = greatest(d.last_seen_at, seen.at), ip = seen.ip
         FROM seen WHERE d.uid_hash = seen.uid_hash`,
        {
          hashes: seen.map(({ id }) => hashOf(id)),
          ips: seen.map(({ ip }) => ip),
          times: seen.map(({ at }) => at.toISOString()),
        },
      );
    },
    list: async (userId) => {
      const { rows } = await database.sql().raw<{ rows: Row[] }>(
        `SELECT encode(r.uid_hash, 'hex') AS id, d.user_agent, d.ip,
                coalesce(d.signed_in_at, r.created_at) AS signed_in_at,
                coalesce(d.last_seen_at, r.created_at) AS last_seen_at
         FROM oauth_records r LEFT JOIN session_details d ON d.uid_hash = r.uid_hash
         WHERE r.kind = 'Session' AND r.user_id = ? AND r.uid_hash IS NOT NULL AND r.expires_at > now()
         ORDER BY last_seen_at DESC, id LIMIT 100`,
        [userId],
      );
      return rows.map((row) => ({
        id: row.id,
        userAgent: row.user_agent ?? '',
        ip: row.ip ?? '',
        signedInAt: row.signed_in_at,
        lastSeenAt: row.last_seen_at,
      }));
    },
    idOf: (uid) => hashOf(uid).toString('hex'),
    end: (userId, id) =>
      database.transaction(async () => {
        await holdSessions(userId);
        const ended = await records()
          .where({ user_id: userId, uid_hash: Buffer.from(id, 'hex') })
          .delete();
        return ended > 0;
      }),
    endAll: (userId) =>
      database.transaction(async () => {
        await database.sql()('users').where({ id: userId }).increment('session_epoch');
        await holdSessions(userId);
        await database
          .sql()('oauth_records')
          .where({ user_id: userId })
          .whereIn('kind', ['Session', 'Interaction'])
          .delete();
      }),
    sweep: (most) =>
      clearSome(
        database,
        {
          table: 'session_details',
          key: 'uid_hash',
          condition: 'NOT EXISTS (SELECT FROM oauth_records r WHERE r.uid_hash = t.uid_hash)',
        },
        most,
      ),
  };
}
