import type { Bucket, UsageBatch, UsageStore } from '../../src/usage/usage.ts';
import type { Database } from './database.ts';

/** Written out: to take arrays apart and put them together again costs several times as much. */
const SUM_OF_SECONDS = Array.from(
  { length: 60 },
  (_, second) => `usage_minutes.asked[${second + 1}] + excluded.asked[${second + 1}]`,
).join(', ');

/**
 * All of it one statement, so that it is written whole or not at all. Rows are written in the order of their keys: two
 * processes that add to the same ones wait for each other, and never in a circle.
 */
const ADD = `
  WITH batch AS (
    INSERT INTO usage_writers (id, last_batch, written_at) VALUES (:writerId, :number, now())
    ON CONFLICT (id) DO UPDATE SET last_batch = excluded.last_batch, written_at = excluded.written_at
    WHERE usage_writers.last_batch < excluded.last_batch
    RETURNING id
  ), hours AS (
    INSERT INTO usage_hours
      (organization_id, environment, hour, method, credential, route, status, scope, requests, allowed, refused)
    SELECT u.* FROM batch CROSS JOIN unnest(
      :hourOrganizations::text[], :hourEnvironments::text[], :hours::timestamptz[], :hourMethods::text[],
      :hourCredentials::text[], :routes::text[], :statuses::smallint[], :scopes::text[],
      :requests::bigint[], :allowed::bigint[], :refused::bigint[]
    ) AS u (organization_id, environment, hour, method, credential, route, status, scope, requests, allowed, refused)
    JOIN organizations ON organizations.id = u.organization_id
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (organization_id, environment, hour, method, credential, route, status) DO UPDATE SET
      requests = usage_hours.requests + excluded.requests,
      allowed = usage_hours.allowed + excluded.allowed,
      refused = usage_hours.refused + excluded.refused
  ), minutes AS (
    INSERT INTO usage_minutes (organization_id, environment, method, minute, asked)
    SELECT u.organization_id, u.environment, u.method, u.minute, u.asked::integer[] FROM batch CROSS JOIN unnest(
      :minuteOrganizations::text[], :minuteEnvironments::text[], :minuteMethods::text[], :minutes::timestamptz[],
      :asked::text[]
    ) AS u (organization_id, environment, method, minute, asked)
    JOIN organizations ON organizations.id = u.organization_id
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (organization_id, environment, method, minute) DO UPDATE SET asked = ARRAY[${SUM_OF_SECONDS}]
  )
  INSERT INTO credential_networks
    (organization_id, environment, credential, day, network, first_seen_at, last_seen_at)
  SELECT u.organization_id, u.environment, u.credential, (u.first_seen_at AT TIME ZONE 'UTC')::date, u.network,
         min(u.first_seen_at), max(u.last_seen_at)
  FROM batch CROSS JOIN unnest(
    :networkOrganizations::text[], :networkEnvironments::text[], :networkCredentials::text[], :networks::text[],
    :firstSeen::timestamptz[], :lastSeen::timestamptz[]
  ) AS u (organization_id, environment, credential, network, first_seen_at, last_seen_at)
  JOIN organizations ON organizations.id = u.organization_id
  GROUP BY 1, 2, 3, 4, 5
  ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (organization_id, environment, credential, day, network) DO UPDATE SET
    first_seen_at = LEAST(credential_networks.first_seen_at, excluded.first_seen_at),
    last_seen_at = GREATEST(credential_networks.last_seen_at, excluded.last_seen_at)`;

const bindingsOf = ({ writerId, number, hours, minutes, networks }: UsageBatch) => ({
  writerId,
  number,
  hourOrganizations: hours.map(({ organizationId }) => organizationId),
  hourEnvironments: hours.map(({ environment }) => environment),
  hours: hours.map(({ hour }) => hour.toISOString()),
  hourMethods: hours.map(({ method }) => method),
  hourCredentials: hours.map(({ credential }) => credential),
  routes: hours.map(({ route }) => route),
  statuses: hours.map(({ status }) => status),
  scopes: hours.map(({ scope }) => scope),
  requests: hours.map(({ requests }) => requests),
  allowed: hours.map(({ allowed }) => allowed),
  refused: hours.map(({ refused }) => refused),
  minuteOrganizations: minutes.map(({ organizationId }) => organizationId),
  minuteEnvironments: minutes.map(({ environment }) => environment),
  minuteMethods: minutes.map(({ method }) => method),
  minutes: minutes.map(({ minute }) => minute.toISOString()),
  asked: minutes.map(({ asked }) => `{${asked.join(',')}}`),
  networkOrganizations: networks.map(({ organizationId }) => organizationId),
  networkEnvironments: networks.map(({ environment }) => environment),
  networkCredentials: networks.map(({ credential }) => credential),
  networks: networks.map(({ network }) => network),
  firstSeen: networks.map(({ firstSeenAt }) => firstSeenAt.toISOString()),
  lastSeen: networks.map(({ lastSeenAt }) => lastSeenAt.toISOString()),
});

const DAY_MS = 86_400_000;

/** Whose own limits counted a call: the first key of those that it was rotated into, or the app (`usr_…:app_…` has one). */
const CAP_ID = "coalesce(k.first_key_id, split_part(h.credential, ':', -1))";

/** The hours of a UTC day; one that isn't rolled up yet, as today never is. */
const hoursOf = (utcDay: Date) => {
  const startMs = utcDay.getTime() - (utcDay.getTime() % DAY_MS);
  return { from: new Date(startMs), to: new Date(startMs + DAY_MS) };
};

/** Counts of calls, by hour, day and second. */
export function createUsageStore(database: Database): UsageStore {
  const allowedOn = (utcDay: Date) => {
    const { from, to } = hoursOf(utcDay);
    return database
      .sql()('usage_hours as h')
      .leftJoin('api_keys as k', 'k.id', 'h.credential')
      .where('hour', '>=', from)
      .where('hour', '<', to);
  };

  return {
    add: async (batch) => {
      await database.sql().raw(ADD, bindingsOf(batch));
    },
    allowedOnDay: async ({ organizationId, environment, method }, utcDay, capId) => {
      const [row] = await allowedOn(utcDay)
        .where({ 'h.organization_id': organizationId, 'h.environment': environment, method })
        .modify((query) => {
          if (capId !== undefined) void query.whereRaw(`${CAP_ID} = ?`, [capId]);
        })
        .sum<{ allowed: string | null }[]>('allowed as allowed');
      return Number(row?.allowed ?? 0);
    },
    allAllowedOnDay: async (utcDay) => {
      const rows = await allowedOn(utcDay)
        .groupBy('h.organization_id', 'h.environment', 'method', 'cap_id')
        .select<(BucketRow & { cap_id: string; allowed: string })[]>(
          'h.organization_id',
          'h.environment',
          'method',
          database.sql().raw(`${CAP_ID} AS cap_id`),
          database.sql().raw('sum(allowed) AS allowed'),
        );
      return rows.map((row) => ({ ...toBucket(row), capId: row.cap_id, allowed: Number(row.allowed) }));
    },
  };
}

type BucketRow = {
  organization_id: string;
  environment: Bucket['environment'];
  method: Bucket['method'];
};

const toBucket = (row: BucketRow): Bucket => ({
  organizationId: row.organization_id,
  environment: row.environment,
  method: row.method,
});
