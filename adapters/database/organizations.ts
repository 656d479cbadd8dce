import type { Plan } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';
import type { OrganizationStore } from '../../src/organizations/organization.ts';
import type { Database } from './database.ts';

/** Organizations and who belongs to them. */
export function createOrganizationStore(database: Database): OrganizationStore {
  return {
    insert: async ({ id, name, plan }) => {
      await database.sql()('organizations').insert({ id, name, plan });
    },
    isEmpty: async () => (await database.sql()('organizations').first('id')) === undefined,
    find: async (id) => {
      const row = await database
        .sql()('organizations')
        .where({ id })
        .first<{ id: string; name: string; plan: Plan; created_at: Date } | undefined>();
      return row && { id: row.id, name: row.name, plan: row.plan, createdAt: row.created_at };
    },
    addMember: async ({ organizationId, userId, role }) => {
      await database.sql()('memberships').insert({ organization_id: organizationId, user_id: userId, role });
    },
    membershipsOf: async (userId) => {
      const rows = await database
        .sql()('memberships')
        .join('organizations', 'organizations.id', 'memberships.organization_id')
        .where('memberships.user_id', userId)
        .orderBy(['organizations.name', 'organizations.id'])
        .select<{ id: string; name: string; role: Role }[]>(
          'organizations.id',
          'organizations.name',
          'memberships.role',
        );
      return rows.map((row) => ({ organizationId: row.id, organizationName: row.name, role: row.role }));
    },
    roleOf: async ({ organizationId, userId }) => {
      const row = await database
        .sql()('memberships')
        .where({ organization_id: organizationId, user_id: userId })
        .first<{ role: Role } | undefined>('role');
      return row?.role;
    },
  };
}
