import type { Database } from './database.ts';

/**
 * Makes those who call this for one organization wait for each other until the transaction ends: what is counted is
 * then exact. NO KEY: what merely belongs to the organization may be written meanwhile.
 */
export async function lockOrganization(database: Database, organizationId: string): Promise<void> {
  await database.sql().raw('SELECT 1 FROM organizations WHERE id = ? FOR NO KEY UPDATE', [organizationId]);
}
