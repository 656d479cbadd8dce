import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import { figuresOf, type Plan } from '../../config/plans.ts';
import type { AlertReads } from '../../src/alerts/reads.ts';
import type { DayOnNetwork, HourOfUse } from '../../src/alerts/rules.ts';
import type { Database } from './database.ts';

/** Of each kind in one look; the rest is seen by the next, for what was told is remembered. */
const MOST = 1_000;

const REFUSED = 'coalesce(sum(u.requests) FILTER (WHERE u.status IN (403, 429)), 0)';

type OwnerRow = { organization_id: string; environment: Environment };
type HourRow = OwnerRow & {
  credential: string;
  hour: Date;
  requests: string;
  refused: string;
  before: BeforeRow[];
};
type BeforeRow = { hour: string; requests: number; refused: number };
type NetworkRow = OwnerRow & {
  credential: string;
  created_at: Date;
  recorded_since: Date;
  days: { network: string; first: string; last: string }[];
};

const ownerOf = (row: OwnerRow) => ({ organizationId: row.organization_id, environment: row.environment });

/** What the rules of alerts judge, from the tables of usage and keys. */
export function createAlertReads(database: Database): AlertReads {
  const read = async <Row>(statement: string, bindings: Record<string, string | number>): Promise<Row[]> =>
    (await database.sql().raw<{ rows: Row[] }>(statement, bindings)).rows;

  return {
    activity: async (from, least) => {
      const rows = await read<HourRow>(
        `WITH busy AS (
           SELECT u.organization_id, u.environment, u.credential, u.hour,
                  sum(u.requests) AS requests, ${REFUSED} AS refused
           FROM usage_hours u
           WHERE u.hour >= date_trunc('hour', :from::timestamptz, 'UTC') AND u.credential <> 'other'
           GROUP BY u.organization_id, u.environment, u.credential, u.hour
           HAVING sum(u.requests) >= :requests OR ${REFUSED} >= :refused
           ORDER BY requests DESC LIMIT :most)
         SELECT busy.*, coalesce(before.hours, '[]') AS before
         FROM busy CROSS JOIN LATERAL (
           SELECT jsonb_agg(jsonb_build_object('hour', hour, 'requests', requests, 'refused', refused)) AS hours
           FROM (
             SELECT u.hour, sum(u.requests) AS requests, ${REFUSED} AS refused
             FROM usage_hours u
             WHERE busy.requests >= :requests
               AND u.organization_id = busy.organization_id AND u.environment = busy.environment
               AND u.hour >= busy.hour - interval '14 days' AND u.hour < busy.hour
               AND u.credential = busy.credential
             GROUP BY u.hour) AS by_hour) AS before`,
        { from: from.toISOString(), requests: least.requests, refused: least.refused, most: MOST },
      );
      return rows.map((row) => ({
        ...ownerOf(row),
        credential: row.credential,
        current: { hour: row.hour, requests: Number(row.requests), refused: Number(row.refused) },
        before: row.before.map((one): HourOfUse => ({ ...one, hour: new Date(one.hour) })),
      }));
    },
    networks: async (since, sleepDays) => {
      const rows = await read<NetworkRow>(
        `WITH fresh AS (
           SELECT DISTINCT organization_id, environment, credential, network
           FROM credential_networks WHERE first_seen_at >= :since::timestamptz AND credential <> 'other'),
         candidates AS (
           SELECT DISTINCT organization_id, environment, credential FROM fresh f
           WHERE NOT EXISTS (
             SELECT 1 FROM credential_networks e
             WHERE e.organization_id = f.organization_id AND e.environment = f.environment
               AND e.credential = f.credential AND e.network = f.network AND e.first_seen_at < :since::timestamptz)
           OR NOT EXISTS (
             SELECT 1 FROM credential_networks e
             WHERE e.organization_id = f.organization_id AND e.environment = f.environment
               AND e.credential = f.credential AND e.first_seen_at < :since::timestamptz
               AND e.day >= (:since::timestamptz AT TIME ZONE 'UTC')::date - :sleepDays::integer)
           LIMIT :most)
         SELECT c.*, coalesce(k.created_at, a.created_at) AS created_at,
                (SELECT min(first_seen_at) FROM credential_networks) AS recorded_since,
                (SELECT jsonb_agg(jsonb_build_object('network', n.network, 'first', n.first_seen_at, 'last', n.last_seen_at))
                 FROM credential_networks n
                 WHERE n.organization_id = c.organization_id AND n.environment = c.environment
                   AND n.credential = c.credential) AS days
         FROM candidates c
         LEFT JOIN api_keys k ON k.id = c.credential
         LEFT JOIN apps a ON a.id = substring(c.credential FROM 'app_[0-9a-z]+$')
         WHERE coalesce(k.created_at, a.created_at) IS NOT NULL`,
        { since: since.toISOString(), sleepDays, most: MOST },
      );
      return rows.map((row) => ({
        ...ownerOf(row),
        credential: row.credential,
        createdAt: row.created_at,
        recordedSince: row.recorded_since,
        days: row.days.map(
          ({ network, first, last }): DayOnNetwork => ({
            network,
            firstSeenAt: new Date(first),
            lastSeenAt: new Date(last),
          }),
        ),
      }));
    },
    expiringKeys: async (now, by) => {
      const rows = await read<OwnerRow & { id: string; created_at: Date; expires_at: Date }>(
        `SELECT id, organization_id, environment, created_at, expires_at FROM api_keys
         WHERE expires_at > :now::timestamptz AND expires_at <= :by::timestamptz
           AND revoked_at IS NULL AND replaced_at IS NULL`,
        { now: now.toISOString(), by: by.toISOString() },
      );
      return rows.map((row) => ({
        ...ownerOf(row),
        id: row.id,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      }));
    },
    daysOfBuckets: async (day, since) => {
      const rows = await read<OwnerRow & { method: Method; plan: Plan; own: number | null; used: string }>(
        `WITH used AS (
           SELECT organization_id, environment, method, sum(allowed) AS used, max(hour) AS newest
           FROM usage_hours WHERE hour >= date_trunc('day', :day::timestamptz, 'UTC')
           GROUP BY organization_id, environment, method)
         SELECT used.*, o.plan, o.limit_per_day AS own
         FROM used JOIN organizations o ON o.id = used.organization_id
         WHERE used.newest >= date_trunc('hour', :since::timestamptz, 'UTC') AND used.used > 0`,
        { day: day.toISOString(), since: since.toISOString() },
      );
      return rows.map((row) => ({
        ...ownerOf(row),
        method: row.method,
        used: Number(row.used),
        limit: figuresOf(row.plan, row.method, row.own === null ? {} : { perDay: row.own }).perDay,
      }));
    },
  };
}
