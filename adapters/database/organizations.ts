import type { Plan } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';
import type { LeakedSecrets, Member, OrganizationStore } from '../../src/organizations/organization.ts';
import type { Database } from './database.ts';
import { fromFigures, type LimitColumns, toFigures } from './figures.ts';
import { lockOrganization } from './lock-organization.ts';

type OrganizationRow = {
  id: string;
  name: string;
  plan: Plan;
  leaked_secrets: LeakedSecrets;
  require_second_factor: boolean;
  ip_allowlist: string[];
  created_at: Date;
};

type MemberRow = {
  id: string;
  email: string;
  name: string | null;
  role: Role;
  status: Member['status'];
  created_at: Date;
};

// Cursors count milliseconds, as JavaScript does: compared to microseconds, a row would be skipped.
const MEMBERS = `
  SELECT u.id, u.email, u.name, m.role, 'active' AS status, date_trunc('milliseconds', m.created_at) AS created_at
  FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = :organizationId`;

const MEMBERS_AND_INVITED = `${MEMBERS}
  UNION ALL
  SELECT i.id, i.email, NULL, i.role, 'invited', date_trunc('milliseconds', i.created_at)
  FROM invitations i WHERE i.organization_id = :organizationId AND i.expires_at > now()`;

/** For `organizations` and `memberships` joined. */
export const LACKS_SECOND_FACTOR = `(organizations.require_second_factor
  AND NOT EXISTS (SELECT FROM totp_factors t WHERE t.user_id = memberships.user_id)
  AND NOT EXISTS (SELECT FROM passkeys p WHERE p.user_id = memberships.user_id))`;

/** Organizations and who belongs to them. */
export function createOrganizationStore(database: Database): OrganizationStore {
  const memberships = ({ organizationId, userId }: { organizationId: string; userId: string }) =>
    database.sql()('memberships').where({ organization_id: organizationId, user_id: userId });

  return {
    insert: async ({ id, name, plan }) => {
      await database.sql()('organizations').insert({ id, name, plan });
    },
    planOf: async (id) => {
      const row = await database
        .sql()('organizations')
        .where({ id })
        .first<({ plan: Plan } & LimitColumns) | undefined>();
      return row && { plan: row.plan, own: toFigures(row) };
    },
    setPlan: async (id, plan, own) => {
      await database
        .sql()('organizations')
        .where({ id })
        .update({ plan, ...fromFigures(own) });
    },
    isEmpty: async () => (await database.sql()('organizations').first('id')) === undefined,
    find: async (id) => {
      const row = await database.sql()('organizations').where({ id }).first<OrganizationRow | undefined>();
      return (
        row && {
          id: row.id,
          name: row.name,
          plan: row.plan,
          leakedSecrets: row.leaked_secrets,
          requireSecondFactor: row.require_second_factor,
          ipAllowlist: row.ip_allowlist,
          createdAt: row.created_at,
        }
      );
    },
    update: async (id, { name, leakedSecrets, requireSecondFactor, ipAllowlist }) => {
      await database
        .sql()('organizations')
        .where({ id })
        .update({
          ...(name === undefined ? {} : { name }),
          ...(leakedSecrets === undefined ? {} : { leaked_secrets: leakedSecrets }),
          ...(requireSecondFactor === undefined ? {} : { require_second_factor: requireSecondFactor }),
          ...(ipAllowlist === undefined ? {} : { ip_allowlist: [...ipAllowlist] }),
        });
    },
    lock: (id) => lockOrganization(database, id),

    addMember: async ({ organizationId, userId, role }) => {
      const added = await database
        .sql()('memberships')
        .insert({ organization_id: organizationId, user_id: userId, role })
        .onConflict(['organization_id', 'user_id'])
        .ignore()
        .returning('user_id');
      return added.length === 1;
    },
    membershipsOf: async (userId) => {
      const rows = await database
        .sql()('memberships')
        .join('organizations', 'organizations.id', 'memberships.organization_id')
        .where('memberships.user_id', userId)
        .orderBy(['organizations.name', 'organizations.id'])
        .select<{ id: string; name: string; role: Role; lacks_second_factor: boolean }[]>(
          'organizations.id',
          'organizations.name',
          'memberships.role',
          database.sql().raw(`${LACKS_SECOND_FACTOR} AS lacks_second_factor`),
        );
      return rows.map((row) => ({
        organizationId: row.id,
        organizationName: row.name,
        role: row.role,
        lacksSecondFactor: row.lacks_second_factor,
      }));
    },
    roleOf: async (member) => {
      const row = await memberships(member).first<{ role: Role } | undefined>('role');
      return row?.role;
    },
    findMember: async ({ organizationId, userId }) => {
      const { rows } = await database
        .sql()
        .raw<{ rows: MemberRow[] }>(`${MEMBERS} AND u.id = :userId`, { organizationId, userId });
      return rows[0] && toMember(rows[0]);
    },
    hasMemberWithEmail: async (organizationId, email) => {
      const row = await database
        .sql()('memberships')
        .join('users', 'users.id', 'memberships.user_id')
        .where({ organization_id: organizationId, email })
        .first<{ user_id: string } | undefined>('user_id');
      return row !== undefined;
    },
    listMembers: async (organizationId, { limit, after }) => {
      const below = after ? 'WHERE (created_at, id) < (:at::timestamptz, :id)' : '';
      const { rows } = await database
        .sql()
        .raw<{ rows: MemberRow[] }>(
          `SELECT * FROM (${MEMBERS_AND_INVITED}) AS members ${below} ORDER BY created_at DESC, id DESC LIMIT :limit`,
          {
            organizationId,
            limit,
            ...(after ? { at: after.createdAt.toISOString(), id: after.id } : {}),
          },
        );
      return rows.map(toMember);
    },
    hasOtherOwner: async ({ organizationId, userId }) => {
      const row = await database
        .sql()('memberships')
        .join('users', 'users.id', 'memberships.user_id')
        .where({ organization_id: organizationId, role: 'owner' })
        .whereNot('users.id', userId)
        .whereNull('users.deactivated_at')
        .first<{ id: string } | undefined>('users.id');
      return row !== undefined;
    },
    setRole: async ({ role, ...member }) => {
      await memberships(member).update({ role });
    },
    removeMember: async (member) => {
      await memberships(member).delete();
    },
  };
}

const toMember = (row: MemberRow): Member => ({
  id: row.id,
  email: row.email,
  name: row.name ?? undefined,
  role: row.role,
  status: row.status,
  createdAt: row.created_at,
});
