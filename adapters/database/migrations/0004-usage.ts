import type { Knex } from 'knex';

/**
 * What was asked of the API: counts by the hour, later by the day; by the second for the dry run of limits; the networks
 * that credentials came from. A count's credential is no reference: it outlives the key or app that it names.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE usage_hours (
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      hour timestamptz NOT NULL CHECK (hour AT TIME ZONE 'UTC' = date_trunc('hour', hour AT TIME ZONE 'UTC')),
      method text NOT NULL CHECK (method IN ('api_key', 'oauth_user', 'client_credentials')),
      credential text NOT NULL,
      route text NOT NULL,
      status smallint NOT NULL CHECK (status BETWEEN 100 AND 599),
      scope text NOT NULL, -- of the route: it follows from it
      requests bigint NOT NULL CHECK (requests > 0),
      allowed bigint NOT NULL CHECK (allowed >= 0), -- let through by the limits
      refused bigint NOT NULL CHECK (refused >= 0), -- by the limits; what never reached them is in neither
      CHECK (allowed + refused <= requests),
      PRIMARY KEY (organization_id, environment, hour, method, credential, route, status)
    );
    CREATE INDEX usage_hours_by_hour ON usage_hours (hour);

    CREATE TABLE usage_days (
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      day date NOT NULL, -- in UTC
      method text NOT NULL CHECK (method IN ('api_key', 'oauth_user', 'client_credentials')),
      credential text NOT NULL,
      route text NOT NULL,
      status smallint NOT NULL CHECK (status BETWEEN 100 AND 599),
      scope text NOT NULL,
      requests bigint NOT NULL CHECK (requests > 0),
      allowed bigint NOT NULL CHECK (allowed >= 0),
      refused bigint NOT NULL CHECK (refused >= 0),
      CHECK (allowed + refused <= requests),
      PRIMARY KEY (organization_id, environment, day, method, credential, route, status)
    );
    CREATE INDEX usage_days_by_day ON usage_days (day);

    -- Of one bucket of the limits in one minute: how many asked to pass in each of its seconds, let through or not.
    CREATE TABLE usage_minutes (
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      method text NOT NULL CHECK (method IN ('api_key', 'oauth_user', 'client_credentials')),
      minute timestamptz NOT NULL CHECK (minute AT TIME ZONE 'UTC' = date_trunc('minute', minute AT TIME ZONE 'UTC')),
      asked integer[] NOT NULL CHECK (cardinality(asked) = 60),
      PRIMARY KEY (organization_id, environment, method, minute)
    );
    CREATE INDEX usage_minutes_by_minute ON usage_minutes (minute);

    CREATE TABLE credential_networks (
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      credential text NOT NULL,
      day date NOT NULL, -- in UTC
      network text NOT NULL,
      first_seen_at timestamptz NOT NULL,
      last_seen_at timestamptz NOT NULL,
      CHECK (first_seen_at <= last_seen_at),
      PRIMARY KEY (organization_id, environment, credential, day, network)
    );
    CREATE INDEX credential_networks_by_first_seen ON credential_networks (first_seen_at);

    -- One row a process that counts: how far it has written, so that no batch is written twice.
    CREATE TABLE usage_writers (
      id text PRIMARY KEY,
      last_batch bigint NOT NULL,
      written_at timestamptz NOT NULL
    );
    CREATE INDEX usage_writers_by_time ON usage_writers (written_at);
  `);
}

export { down } from './forward-only.ts';
