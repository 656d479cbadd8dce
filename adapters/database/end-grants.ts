import type { Database } from './database.ts';

/** Whose grants: everybody's for an app, or one person's, all of them or those for an app or in an organization. */
export type GrantsOf = { appId: string } | { userId: string; organizationId?: string; appId?: string };

/** Returns the organizations that the grants were for. */
export type EndGrants = (of: GrantsOf) => Promise<string[]>;

/**
 * Deletes grants, and the codes and refresh tokens that hang on them, in the open transaction. Takes the same locks as
 * `deleteByGrant`, in the order of the ids, so that callers that revoke at once wait for each other instead of deadlocking.
 */
export function createGrantEnding(database: Database): EndGrants {
  return async (of) => {
    const { appId, userId, organizationId } = { userId: undefined, organizationId: undefined, ...of };
    const rows = await database
      .sql()('grants')
      .where({
        ...(appId === undefined ? {} : { app_id: appId }),
        ...(userId === undefined ? {} : { user_id: userId }),
        ...(organizationId === undefined ? {} : { organization_id: organizationId }),
      })
      .orderBy('id')
      .select<{ id: string; organization_id: string }[]>('id', 'organization_id');
    const ids = rows.map(({ id }) => id);
    if (ids.length === 0) return [];
    await database
      .sql()
      .raw(
        'SELECT pg_advisory_xact_lock(hashtextextended(id, 0)) FROM (SELECT unnest(?::text[]) AS id ORDER BY 1) AS ids',
        [ids],
      );
    await database.sql()('oauth_records').whereIn('grant_id', ids).delete();
    await database.sql()('grants').whereIn('id', ids).delete();
    return rows.map((row) => row.organization_id);
  };
}
