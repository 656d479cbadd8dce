import type { CallerReports, Grouping, UsageReports } from '../../src/usage/report.ts';
import type { Database } from './database.ts';

/** What rows are put together by, how that is written, and in which order. `at`: UTC, without a zone. */
const GROUPS: Record<Grouping, { by: string; text: string; order: string }> = {
  credential: { by: 'credential', text: 'key', order: 'requests DESC, key' },
  scope: { by: 'scope', text: 'key', order: 'requests DESC, key' },
  status: { by: 'status', text: 'key::text', order: 'requests DESC, key' },
  hour: { by: 'at', text: `to_char(key, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`, order: 'key' },
  day: { by: `date_trunc('day', at)`, text: `to_char(key, 'YYYY-MM-DD')`, order: 'key' },
};

type Row = { group: string; requests: string; refused: string; client_errors: string; server_errors: string };

/** Reads what usage.ts wrote, and usage-cleaning.ts rolled up; one statement sees each count in one of the two. */
export const createUsageReports = (database: Database): UsageReports => ({
  sum: async ({ organizationId, environment, from, to, groupBy }, most) => {
    const { by, text, order } = GROUPS[groupBy];
    const { rows } = await database.sql().raw<{ rows: Row[] }>(
      `SELECT ${text} AS "group", requests, refused, client_errors, server_errors FROM (
         SELECT ${by} AS key, sum(requests) AS requests, sum(refused) AS refused,
                coalesce(sum(requests) FILTER (WHERE status BETWEEN 400 AND 499), 0) AS client_errors,
                coalesce(sum(requests) FILTER (WHERE status >= 500), 0) AS server_errors
         FROM (
           SELECT hour AT TIME ZONE 'UTC' AS at, credential, scope, status, requests, refused FROM usage_hours
           WHERE organization_id = :organizationId AND environment = :environment
             AND hour >= :from AND hour < :to
           UNION ALL
           SELECT day::timestamp, credential, scope, status, requests, refused FROM usage_days
           WHERE organization_id = :organizationId AND environment = :environment
             AND day >= :from::timestamptz AT TIME ZONE 'UTC' AND day < :to::timestamptz AT TIME ZONE 'UTC'
         ) AS counts
         GROUP BY 1
       ) AS sums
       ORDER BY ${order} LIMIT :most`,
      { organizationId, environment, from: from.toISOString(), to: to.toISOString(), most },
    );
    return rows.map((row) => ({
      group: row.group,
      requests: Number(row.requests),
      refused: Number(row.refused),
      clientErrors: Number(row.client_errors),
      serverErrors: Number(row.server_errors),
    }));
  },
});

/** Reads the networks that usage.ts wrote. */
export const createCallerReports = (database: Database): CallerReports => ({
  of: async ({ organizationId, environment, id }, since, most) => {
    const { rows } = await database.sql().raw<{ rows: { network: string; last_seen_at: Date }[] }>(
      `SELECT network, max(last_seen_at) AS last_seen_at FROM credential_networks
       WHERE organization_id = :organizationId AND environment = :environment AND credential = :id
         AND day >= (:since::timestamptz AT TIME ZONE 'UTC')::date
       GROUP BY network HAVING max(last_seen_at) >= :since::timestamptz
       ORDER BY last_seen_at DESC, network LIMIT :most`,
      { organizationId, environment, id, since: since.toISOString(), most },
    );
    return rows.map((row) => ({ network: row.network, lastSeenAt: row.last_seen_at }));
  },
});
