import type { Knex } from 'knex';
import type { Database } from './database.ts';

/**
 * Makes those who call this for one organization wait for each other until the transaction ends: what is counted is
 * then exact. NO KEY: what merely belongs to the organization may be written meanwhile.
 */
export async function lockOrganization(database: Database, organizationId: string): Promise<void> {
  await database.sql().raw('SELECT 1 FROM organizations WHERE id = ? FOR NO KEY UPDATE', [organizationId]);
}

/** How many rows of a table belong to the organization: exact, until the transaction ends, for who asks by this. */
export async function countLocked(
  database: Database,
  table: 'api_keys' | 'apps' | 'webhooks',
  organizationId: string,
  narrow: (query: Knex.QueryBuilder) => void = () => {},
): Promise<number> {
  await lockOrganization(database, organizationId);
  const [row] = await database
    .sql()(table)
    .where({ organization_id: organizationId })
    .modify(narrow)
    .count<{ count: string }[]>('* as count');
  return Number(row?.count ?? 0);
}
