import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import { figuresOf, type Plan } from '../../config/plans.ts';
import type { AlertReads } from '../../src/alerts/reads.ts';
import type { DayOnNetwork, HourOfUse } from '../../src/alerts/rules.ts';
import type { Database } from './database.ts';

/** Rows that are in memory at once. */
const PAGE = 200;
/** The same of credentials with all the networks that they came from, which are many more. */
const NETWORKS_PAGE = 50;
/** Of one credential, the newest: with more than eleven a day for half a year, what is older says nothing about it. */
const MOST_DAYS_ON_NETWORKS = 2_000;

type OwnerRow = { organization_id: string; environment: Environment };
type HourRow = OwnerRow & {
  credential: string;
  hour: Date;
  requests: string;
  refused: string;
  before: BeforeRow[];
};
type BeforeRow = { hour: string; requests: number; refused: number };
type KeyRow = OwnerRow & { id: string; created_at: Date; expires_at: Date };
type BucketRow = OwnerRow & { method: Method; plan: Plan; own: number | null; used: string };
type NetworkRow = OwnerRow & {
  credential: string;
  created_at: Date | null;
  recorded_since: Date;
  days: { network: string; first: string; last: string }[];
};

const ownerOf = (row: OwnerRow) => ({ organizationId: row.organization_id, environment: row.environment });

const REFUSED = 'coalesce(sum(u.requests) FILTER (WHERE u.status IN (403, 429)), 0)';

const ACTIVITY = `
  WITH busy AS (
    SELECT u.organization_id, u.environment, u.credential, u.hour,
           sum(u.requests) AS requests, ${REFUSED} AS refused
    FROM usage_hours u
    WHERE u.hour >= date_trunc('hour', :from::timestamptz, 'UTC') AND u.credential <> 'other'
      AND (u.organization_id, u.environment, u.credential, u.hour)
        > (:after1, :after2, :after3, coalesce(nullif(:after4, '')::timestamptz, '-infinity'))
    GROUP BY u.organization_id, u.environment, u.credential, u.hour
    HAVING sum(u.requests) >= :requests OR ${REFUSED} >= :refused
    ORDER BY u.organization_id, u.environment, u.credential, u.hour LIMIT :most)
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
      GROUP BY u.hour) AS by_hour) AS before
  ORDER BY busy.organization_id, busy.environment, busy.credential, busy.hour`;

const NETWORKS = `
  WITH fresh AS (
    SELECT DISTINCT organization_id, environment, credential, network
    FROM credential_networks
    WHERE first_seen_at >= :since::timestamptz AND credential <> 'other'
      AND (organization_id, environment, credential) > (:after1, :after2, :after3)),
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
    ORDER BY organization_id, environment, credential LIMIT :most)
  SELECT c.*, coalesce(k.created_at, a.created_at) AS created_at,
         (SELECT min(first_seen_at) FROM credential_networks) AS recorded_since, history.days
  FROM candidates c
  LEFT JOIN api_keys k ON k.id = c.credential
  LEFT JOIN apps a ON a.id = substring(c.credential FROM 'app_[0-9a-z]+$')
  CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('network', network, 'first', first_seen_at, 'last', last_seen_at)) AS days
    FROM (
      SELECT n.network, n.first_seen_at, n.last_seen_at FROM credential_networks n
      WHERE n.organization_id = c.organization_id AND n.environment = c.environment AND n.credential = c.credential
      ORDER BY n.first_seen_at DESC LIMIT :mostDays) AS newest) AS history
  ORDER BY c.organization_id, c.environment, c.credential`;

const EXPIRING_KEYS = `
  SELECT id, organization_id, environment, created_at, expires_at FROM api_keys
  WHERE expires_at > :now::timestamptz AND expires_at <= :by::timestamptz
    AND revoked_at IS NULL AND replaced_at IS NULL AND id > :after1
  ORDER BY id LIMIT :most`;

const DAYS_OF_BUCKETS = `
  WITH used AS (
    SELECT organization_id, environment, method, sum(allowed) AS used, max(hour) AS newest
    FROM usage_hours
    WHERE hour >= date_trunc('day', :day::timestamptz, 'UTC')
      AND hour < date_trunc('day', :day::timestamptz, 'UTC') + interval '1 day'
      AND (organization_id, environment, method) > (:after1, :after2, :after3)
    GROUP BY organization_id, environment, method)
  SELECT used.*, o.plan, o.limit_per_day AS own
  FROM used JOIN organizations o ON o.id = used.organization_id
  WHERE used.newest >= date_trunc('hour', :since::timestamptz, 'UTC') AND used.used > 0
  ORDER BY used.organization_id, used.environment, used.method LIMIT :most`;

type Bindings = Record<string, string | number>;

/** What the rules of alerts judge, from the tables of usage and keys. */
export function createAlertReads(database: Database): AlertReads {
  /** All rows of a statement that gives them in the order of `keyOf`, at most `most` from beyond the key `after`. */
  async function* rowsOf<Row>(
    statement: string,
    bindings: Bindings,
    { keyOf, most = PAGE }: { keyOf(row: Row): string[]; most?: number },
  ): AsyncGenerator<Row> {
    for (let after: string[] = []; ; ) {
      const keys = Object.fromEntries([1, 2, 3, 4].map((place) => [`after${place}`, after[place - 1] ?? '']));
      const { rows } = await database.sql().raw<{ rows: Row[] }>(statement, { most, ...bindings, ...keys });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < most) return;
      after = keyOf(last);
    }
  }

  return {
    async *activity(from, least) {
      const bindings = { from: from.toISOString(), requests: least.requests, refused: least.refused };
      const keyOf = (row: HourRow) => [
        row.organization_id,
        row.environment,
        row.credential,
        row.hour.toISOString(),
      ];
      for await (const row of rowsOf(ACTIVITY, bindings, { keyOf })) {
        yield {
          ...ownerOf(row),
          credential: row.credential,
          current: { hour: row.hour, requests: Number(row.requests), refused: Number(row.refused) },
          before: row.before.map((one): HourOfUse => ({ ...one, hour: new Date(one.hour) })),
        };
      }
    },
    async *networks(since, sleepDays) {
      const bindings = { since: since.toISOString(), sleepDays, mostDays: MOST_DAYS_ON_NETWORKS };
      const keyOf = (row: NetworkRow) => [row.organization_id, row.environment, row.credential];
      for await (const row of rowsOf(NETWORKS, bindings, { keyOf, most: NETWORKS_PAGE })) {
        if (row.created_at === null) continue; // the credential is gone
        yield {
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
        };
      }
    },
    async *expiringKeys(now, by) {
      const bindings = { now: now.toISOString(), by: by.toISOString() };
      for await (const row of rowsOf<KeyRow>(EXPIRING_KEYS, bindings, { keyOf: ({ id }) => [id] })) {
        yield { ...ownerOf(row), id: row.id, createdAt: row.created_at, expiresAt: row.expires_at };
      }
    },
    async *daysOfBuckets(day, since) {
      const bindings = { day: day.toISOString(), since: since.toISOString() };
      const keyOf = (row: BucketRow) => [row.organization_id, row.environment, row.method];
      for await (const row of rowsOf(DAYS_OF_BUCKETS, bindings, { keyOf })) {
        yield {
          ...ownerOf(row),
          method: row.method,
          used: Number(row.used),
          limit: figuresOf(row.plan, row.method, row.own === null ? {} : { perDay: row.own }).perDay,
        };
      }
    },
  };
}
