import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { ConnectedAppStore, GrantPayload } from '../../src/oauth/connected-apps.ts';
import type { Database } from './database.ts';

type Row = {
  id: string;
  app_id: string;
  app_name: string;
  logo_url: string | null;
  developer: string | null;
  environment: Environment;
  app_scopes: Scope[];
  organization_id: string;
  organization_name: string;
  role: Role;
  payload: GrantPayload;
  allowed_at: Date;
  last_used_at: Date | null;
};

/** Grants as their person sees them, and when they were last used. */
export const createConnectedAppStore = (database: Database): ConnectedAppStore => ({
  list: async (userId) => {
    const { rows } = await database.sql().raw<{ rows: Row[] }>(
      `SELECT g.id, a.id AS app_id, a.name AS app_name, a.logo_url, d.name AS developer, a.environment,
              a.scopes AS app_scopes, o.id AS organization_id, o.name AS organization_name, m.role,
              g.payload, g.updated_at AS allowed_at, u.last_used_at
       FROM grants g
       JOIN apps a ON a.id = g.app_id
       LEFT JOIN organizations d ON d.id = a.organization_id
       JOIN organizations o ON o.id = g.organization_id
       JOIN memberships m ON m.user_id = g.user_id AND m.organization_id = g.organization_id
       LEFT JOIN grant_uses u ON u.grant_id = g.id
       WHERE g.user_id = ? AND g.expires_at > now()
       ORDER BY a.name, o.name, g.id LIMIT 200`,
      [userId],
    );
    return rows.map((row) => ({
      id: row.id,
      appId: row.app_id,
      appName: row.app_name,
      logoUrl: row.logo_url ?? undefined,
      developer: row.developer ?? undefined,
      environment: row.environment,
      appScopes: row.app_scopes,
      organizationId: row.organization_id,
      organizationName: row.organization_name,
      role: row.role,
      payload: row.payload,
      allowedAt: row.allowed_at,
      lastUsedAt: row.last_used_at ?? undefined,
    }));
  },
  recordUses: async (uses) => {
    const parts = uses.map(({ id }) => id.split(' '));
    // In one order everywhere, so that two processes that write at once wait for each other instead of deadlocking.
    await database.sql().raw(
      `INSERT INTO grant_uses (grant_id, last_used_at)
       SELECT g.id, u.at
       FROM unnest(:users::text[], :apps::text[], :organizations::text[], :times::timestamptz[])
              AS u (user_id, app_id, organization_id, at)
       JOIN grants g ON g.user_id = u.user_id AND g.app_id = u.app_id AND g.organization_id = u.organization_id
       ORDER BY g.id
       ON CONFLICT (grant_id) DO UPDATE SET last_used_at = greatest(grant_uses.last_used_at, excluded.last_used_at)`,
      {
        users: parts.map(([userId]) => userId),
        apps: parts.map(([, appId]) => appId),
        organizations: parts.map(([, , organizationId]) => organizationId),
        times: uses.map(({ at }) => at.toISOString()),
      },
    );
  },
});
