import type { Knex } from 'knex';

/**
 * Webhooks, what they are told, and the queue of deliveries.
 *
 * A delivery that a worker has claimed is due again at the end of its lease: there is no state of "being sent" that a
 * worker which dies could leave behind.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE webhooks (
      id text PRIMARY KEY CHECK (id LIKE 'wh\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      url text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2000),
      events text[] NOT NULL CHECK (cardinality(events) BETWEEN 1 AND 100),
      description text CHECK (char_length(description) BETWEEN 1 AND 500),
      disabled_reason text CHECK (disabled_reason IN ('owner', 'gone', 'failing', 'backlog')),
      -- They sign, so they must be read back; by its hash a leaked one is recognised.
      sealed_secret bytea NOT NULL,
      secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
      sealed_previous_secret bytea,
      previous_secret_hash bytea UNIQUE CHECK (octet_length(previous_secret_hash) = 32),
      previous_secret_until timestamptz,
      failing_since timestamptz,
      slow boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((sealed_previous_secret IS NULL) = (previous_secret_until IS NULL)),
      CHECK ((previous_secret_hash IS NULL) = (previous_secret_until IS NULL))
    );
    CREATE INDEX webhooks_by_owner ON webhooks (organization_id, environment, id);

    -- What happened, as it is sent: signed bytes, so text and not JSON that a database may write anew.
    CREATE TABLE webhook_events (
      id text PRIMARY KEY CHECK (id LIKE 'evt\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      type text NOT NULL,
      body text NOT NULL,
      created_at timestamptz NOT NULL
    );
    CREATE INDEX webhook_events_by_age ON webhook_events (created_at);
    CREATE INDEX webhook_events_by_organization ON webhook_events (organization_id);

    CREATE TABLE webhook_deliveries (
      id text PRIMARY KEY CHECK (id LIKE 'dlv\\_%'),
      webhook_id text NOT NULL REFERENCES webhooks ON DELETE CASCADE,
      event_id text NOT NULL REFERENCES webhook_events ON DELETE CASCADE,
      redelivery_of text,
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
      attempt_count integer NOT NULL DEFAULT 0 CHECK (attempt_count >= 0),
      attempts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attempts) = 'array'),
      next_attempt_at timestamptz DEFAULT now(),
      claimed_by text, -- the worker that may complete it, until next_attempt_at
      created_at timestamptz NOT NULL DEFAULT now(),
      completed_at timestamptz,
      CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
      CHECK ((status = 'pending') = (completed_at IS NULL))
    );
    CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
    CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);
    CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE status = 'pending';
  `);
}

export { down } from './forward-only.ts';
