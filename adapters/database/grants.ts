import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Environment } from '../../config/environments.ts';
import type { Plan } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { GrantStore } from '../../src/oauth/grant-store.ts';
import type { Database } from './database.ts';
import { sharing } from './locks.ts';
import { LACKS_SECOND_FACTOR } from './organizations.ts';

type StandingRow = {
  organization_id: string;
  plan: Plan;
  environment: Environment;
  scopes: Scope[];
  role: Role | null;
};

/** The library's Adapter for grants: its own table, for a person's grants are listed and withdrawn by person. */
export function createGrantAdapter(database: Database): Adapter {
  const grants = () => database.sql()('grants');
  const never = (method: string) => () => Promise.reject(new Error(`Grant has no ${method}`));

  return {
    upsert: async (id, payload, expiresIn) => {
      if (expiresIn === undefined) throw new Error('a grant is kept with an expiry');
      const { organizationId } = payload as { organizationId?: string };
      await grants()
        .insert({
          id,
          user_id: payload.accountId,
          app_id: payload.clientId,
          organization_id: organizationId,
          payload: JSON.stringify(payload),
          updated_at: database.sql().fn.now(),
          expires_at: database.sql().raw("now() + ? * interval '1 second'", [expiresIn]),
        })
        .onConflict('id')
        .merge(['payload', 'expires_at', 'updated_at']);
    },
    find: async (id) => {
      const row = await grants()
        .where({ id })
        .whereRaw('expires_at > now()')
        .first<{ payload: AdapterPayload } | undefined>('payload');
      return row?.payload;
    },
    destroy: async (id) => {
      await grants().where({ id }).delete();
    },
    findByUid: never('uid'),
    findByUserCode: never('user code'),
    consume: never('single use'),
    revokeByGrantId: never('family of its own'),
  };
}

export function createGrantStore(database: Database): GrantStore {
  // Only where the person still belongs to the organization, and meets what it requires: else the person is asked anew.
  const latest = (where: Record<string, string>) =>
    database
      .sql()('grants')
      .join('memberships', {
        'memberships.user_id': 'grants.user_id',
        'memberships.organization_id': 'grants.organization_id',
      })
      .join('organizations', 'organizations.id', 'grants.organization_id')
      .whereRaw(`NOT ${LACKS_SECOND_FACTOR}`)
      .where(Object.fromEntries(Object.entries(where).map(([column, value]) => [`grants.${column}`, value])))
      .whereRaw('grants.expires_at > now()')
      .orderBy('grants.updated_at', 'desc')
      .first<{ id: string } | undefined>('grants.id');

  return {
    lockForConsent: async ({ userId, appId }) => {
      await database.sql().raw(`SELECT ${sharing('app', ':appId')}`, { appId });
      const { rows } = await database
        .sql()
        .raw<{ rows: { app: string | null }[] }>(
          `SELECT (SELECT id FROM apps WHERE id = :appId) AS app FROM users WHERE id = :userId FOR NO KEY UPDATE OF users`,
          { userId, appId },
        );
      return typeof rows[0]?.app === 'string';
    },
    latestFor: async ({ userId, appId }) => (await latest({ user_id: userId, app_id: appId }))?.id,
    findFor: async ({ userId, appId, organizationId }) =>
      (
        await latest({ user_id: userId, app_id: appId, organization_id: organizationId }).forNoKeyUpdate(
          'grants',
        )
      )?.id,
    standingOf: async (grantId) => {
      const { rows } = await database.sql().raw<{ rows: StandingRow[] }>(
        `SELECT g.organization_id, o.plan, a.environment, a.scopes, m.role
         FROM grants g
         JOIN organizations o ON o.id = g.organization_id
         JOIN apps a ON a.id = g.app_id
         LEFT JOIN users u ON u.id = g.user_id AND u.deactivated_at IS NULL
         LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = g.organization_id
         WHERE g.id = ? AND g.expires_at > now()`,
        [grantId],
      );
      const row = rows[0];
      return (
        row && {
          organizationId: row.organization_id,
          plan: row.plan,
          environment: row.environment,
          appScopes: row.scopes,
          role: row.role ?? undefined,
        }
      );
    },
    delete: async (grantId) => {
      const [row] = await database
        .sql()('grants')
        .where({ id: grantId })
        .delete()
        .returning<{ organization_id: string }[]>('organization_id');
      return row?.organization_id;
    },
  };
}
