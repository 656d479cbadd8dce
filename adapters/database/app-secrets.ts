import type { AppStore, FoundAppSecret } from '../../src/apps/app.ts';
import type { Database } from './database.ts';
import { newestFirst } from './page.ts';

type SecretRow = {
  id: string;
  last4: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

const NOT_EXPIRED = '(expires_at IS NULL OR expires_at > now())';

type Secrets = Pick<
  AppStore,
  | 'addSecret'
  | 'listSecrets'
  | 'usableSecrets'
  | 'findSecret'
  | 'expireSecret'
  | 'deleteSecret'
  | 'deleteExpiredSecrets'
  | 'recordSecretUses'
>;

/** The hashes of the apps' secrets, and when each was last used: a part of the store of apps. */
export function appSecrets(database: Database): Secrets {
  const secrets = () => database.sql()('app_secrets');

  return {
    addSecret: async (appId, secret, at) => {
      await secrets().insert({
        id: secret.id,
        app_id: appId,
        secret_hash: secret.hash,
        last4: secret.last4,
        expires_at: secret.expiresAt,
        created_at: at,
      });
    },
    listSecrets: async (appId, page) => {
      const rows = await secrets()
        .leftJoin('app_secret_uses', 'app_secret_uses.app_secret_id', 'app_secrets.id')
        .where({ app_id: appId })
        .modify(newestFirst(page, 'app_secrets.id'))
        .select<SecretRow[]>(
          'app_secrets.id',
          'app_secrets.last4',
          'app_secrets.created_at',
          'app_secrets.expires_at',
          'app_secret_uses.last_used_at',
        );
      return rows.map((row) => ({
        id: row.id,
        last4: row.last4,
        createdAt: row.created_at,
        expiresAt: row.expires_at ?? undefined,
        lastUsedAt: row.last_used_at ?? undefined,
      }));
    },
    usableSecrets: async (appId) => {
      const rows = await secrets()
        .where({ app_id: appId })
        .whereRaw(NOT_EXPIRED)
        .select<{ id: string }[]>('id');
      return rows.map(({ id }) => id);
    },
    findSecret: async (hash) => {
      const row = await secrets()
        .join('apps', 'apps.id', 'app_secrets.app_id')
        .where({ secret_hash: hash })
        .first<(Omit<FoundAppSecret, 'organizationId'> & { organizationId: string | null }) | undefined>(
          'app_secrets.id',
          'app_secrets.app_id AS appId',
          'apps.organization_id AS organizationId',
          'apps.environment',
          database.sql().raw(`${NOT_EXPIRED} AS usable`),
        );
      return row && { ...row, organizationId: row.organizationId ?? undefined };
    },
    expireSecret: async (id, graceSeconds) => {
      const soon = database.sql().raw("now() + ? * interval '1 second'", [graceSeconds]);
      const changed = await secrets()
        .where({ id })
        .where((query) => void query.whereNull('expires_at').orWhere('expires_at', '>', soon))
        .update({ expires_at: soon });
      return changed === 1;
    },
    deleteSecret: async (appId, id) => (await secrets().where({ app_id: appId, id }).delete()) === 1,
    deleteExpiredSecrets: async (appId) => {
      await secrets().where({ app_id: appId }).whereRaw(`NOT ${NOT_EXPIRED}`).delete();
    },
    recordSecretUses: async (uses) => {
      if (uses.length === 0) return;
      // In one order everywhere, so that processes that write at once wait for each other instead of deadlocking.
      await database.sql().raw(
        `INSERT INTO app_secret_uses (app_secret_id, last_used_at)
         SELECT u.id, u.at FROM unnest(?::text[], ?::timestamptz[]) AS u (id, at)
         JOIN app_secrets ON app_secrets.id = u.id ORDER BY u.id
         ON CONFLICT (app_secret_id) DO UPDATE SET last_used_at = excluded.last_used_at
         WHERE app_secret_uses.last_used_at < excluded.last_used_at`,
        [uses.map(({ id }) => id), uses.map(({ at }) => at.toISOString())],
      );
    },
  };
}
