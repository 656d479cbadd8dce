import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Sealer } from '../../src/kernel/sealing.ts';
import { AlreadyUsedError } from '../../src/oauth/already-used-error.ts';
import type { Database } from './database.ts';
import { familyLock, hashId, KEPT_PAST_EXPIRY, uidHash } from './oauth-records.ts';

/** Kinds whose payload holds what a thief of the database could use: a cookie, a code that must be read back. */
const SEALED = new Set(['Session', 'Interaction', 'DeviceCode', 'PushedAuthorizationRequest']);

/** Who has just signed in, in an interaction whose result the library has not taken up yet. */
const signedInBy = (payload: AdapterPayload): string | undefined =>
  (payload as { result?: { login?: { accountId?: string } } }).result?.login?.accountId;

type Row = { payload: AdapterPayload | null; sealed: Buffer | null; consumed_at: Date | null };

/**
 * Storage of the OAuth library for one kind of record (its Adapter interface). Ids are credentials or
 * lead to them, so the primary key is SHA-256 of kind and id, and what is stored can't be presented.
 *
 * Single use is decided here and nowhere else, by one UPDATE that only one caller can win: the library
 * looks first and consumes later, and ignores what consuming says.
 */
export function createRecordAdapter(kind: string, database: Database, sealer: Sealer): Adapter {
  const sql = () => database.sql();
  const hash = (id: string): Buffer => hashId(kind, id);
  const keyed = (value: string, use: string): Buffer => sealer.mac(value, `${kind}/${use}`);

  const read = (row: Row | undefined, id?: string): AdapterPayload | undefined => {
    if (!row) return undefined;
    const payload: AdapterPayload = row.sealed
      ? (JSON.parse(sealer.open(row.sealed, kind)) as AdapterPayload)
      : { ...row.payload, ...(id === undefined ? {} : { jti: id }) };
    return row.consumed_at ? { ...payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) } : payload;
  };

  const findBy = async (column: string, value: Buffer, id?: string): Promise<AdapterPayload | undefined> =>
    read(
      await sql()('oauth_records')
        .where({ [column]: value, kind })
        .whereRaw(`expires_at > now() - ${KEPT_PAST_EXPIRY}`)
        .first<Row | undefined>('payload', 'sealed', 'consumed_at'),
      id,
    );

  return {
    upsert: async (id, payload, expiresIn) => {
      if (expiresIn === undefined) throw new Error(`a ${kind} is kept with an expiry`);
      const { consumed: _, ...kept } = payload;
      const content = SEALED.has(kind)
        ? { payload: null, sealed: sealer.seal(JSON.stringify(kept), kind) }
        : { payload: JSON.stringify({ ...kept, jti: undefined }), sealed: null };
      const row = {
        ...content,
        kind,
        id_hash: hash(id),
        grant_id: payload.grantId ?? null,
        user_id: payload.accountId ?? signedInBy(payload) ?? null,
        uid_hash: typeof payload.uid === 'string' ? uidHash(sealer, kind, payload.uid) : null,
        user_code_hash: payload.userCode ? keyed(payload.userCode, 'user-code') : null,
        expires_at: sql().raw("now() + ? * interval '1 second'", [expiresIn]),
      };
      const insert = sql()('oauth_records').insert(row).onConflict('id_hash');
      // consumed_at stays out of the update: a late save must not make a spent code good again.
      const written =
        kind === 'ReplayDetection'
          ? await insert.merge().whereRaw('oauth_records.expires_at < now()').returning('kind')
          : await insert.merge().returning('kind');
      if (written.length === 0) throw new errors.InvalidRequest('this proof or assertion was used already');
    },
    find: (id) => findBy('id_hash', hash(id), id),
    findByUid: (uid) => findBy('uid_hash', uidHash(sealer, kind, uid)),
    findByUserCode: (userCode) => findBy('user_code_hash', keyed(userCode, 'user-code')),
    consume: async (id) => {
      // The family's lock comes before the row's: who loses keeps the row locked until the end of the transaction, in which
      // it then revokes the family, and two that hold rows of one family would wait for each other.
      const { rows } = await sql().raw<{ rows: { grant_id: string | null }[] }>(
        `WITH family AS MATERIALIZED (
           SELECT ${familyLock("coalesce(grant_id, encode(id_hash, 'hex'))")} FROM oauth_records WHERE id_hash = :hash)
         UPDATE oauth_records SET consumed_at = now() FROM family
         WHERE id_hash = :hash AND kind = :kind AND consumed_at IS NULL RETURNING grant_id`,
        { hash: hash(id), kind },
      );
      if (rows.length === 1) return;
      if (kind === 'PushedAuthorizationRequest') {
        throw new errors.InvalidRequestUri('request_uri was used already');
      }
      const row = await sql()('oauth_records')
        .where({ id_hash: hash(id), kind })
        .first<{ grant_id: string | null } | undefined>('grant_id');
      throw new AlreadyUsedError(kind, row?.grant_id ?? undefined);
    },
    destroy: async (id) => {
      await sql()('oauth_records')
        .where({ id_hash: hash(id), kind })
        .delete();
    },
    revokeByGrantId: async (grantId) => {
      await sql()('oauth_records').where({ grant_id: grantId, kind }).delete();
    },
  };
}
