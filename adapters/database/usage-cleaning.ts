import type { UsageCleaning } from '../../src/usage/sweep.ts';
import type { Database } from './database.ts';

/** Rows that nobody else has in hand, the oldest first. */
const oldest = (table: string, column: string) =>
  `${table}.ctid = ANY (ARRAY(
     SELECT ctid FROM ${table} WHERE ${column} < :before ORDER BY ${column} LIMIT :most FOR UPDATE SKIP LOCKED
   ))`;

/** Deletes hours and adds them to their days in one statement: a reader sees them in the one table or in the other. */
const ROLL_UP = `
  WITH moved AS (
    DELETE FROM usage_hours WHERE ${oldest('usage_hours', 'hour')} RETURNING *
  ), rolled AS (
    INSERT INTO usage_days
      (organization_id, environment, day, method, credential, route, status, scope, requests, allowed, refused)
    SELECT organization_id, environment, (hour AT TIME ZONE 'UTC')::date, method, credential, route, status,
           min(scope), sum(requests), sum(allowed), sum(refused)
    FROM moved GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (organization_id, environment, day, method, credential, route, status) DO UPDATE SET
      requests = usage_days.requests + excluded.requests,
      allowed = usage_days.allowed + excluded.allowed,
      refused = usage_days.refused + excluded.refused
  )
  SELECT count(*) AS count FROM moved`;

/** Keeps the tables of usage from growing for ever. */
export function createUsageCleaning(database: Database): UsageCleaning {
  const drop = (table: string, column: string) => async (before: Date, most: number) => {
    const { rowCount } = await database
      .sql()
      .raw<{ rowCount: number }>(`DELETE FROM ${table} WHERE ${oldest(table, column)}`, {
        before: before.toISOString(),
        most,
      });
    return rowCount;
  };
  return {
    rollUp: async (before, most) => {
      const { rows } = await database
        .sql()
        .raw<{ rows: { count: string }[] }>(ROLL_UP, { before: before.toISOString(), most });
      return Number(rows[0]?.count);
    },
    dropDays: drop('usage_days', 'day'),
    dropMinutes: drop('usage_minutes', 'minute'),
    dropNetworks: drop('credential_networks', 'first_seen_at'),
    dropWriters: drop('usage_writers', 'written_at'),
  };
}
