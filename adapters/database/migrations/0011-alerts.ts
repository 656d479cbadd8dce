import type { Knex } from 'knex';

/** What owners were alerted to, once each; and what an organization wants done with a secret of its own that leaked. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE alerts (
      id text PRIMARY KEY CHECK (id LIKE 'alr\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      kind text NOT NULL CHECK (kind IN ('new_network', 'burst', 'refusals', 'slept', 'outside_allowlist', 'expiring',
        'limit', 'leaked', 'webhook_disabled')),
      subject text NOT NULL, -- the credential, or what else it is about; no reference: the alert outlives it
      period text NOT NULL, -- within which it is told once
      data jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      mail_due_at timestamptz DEFAULT now(), -- null once it was mailed; later while somebody is at it
      UNIQUE (organization_id, environment, kind, subject, period)
    );
    CREATE INDEX alerts_by_organization ON alerts (organization_id, id);
    CREATE INDEX alerts_to_mail ON alerts (mail_due_at) WHERE mail_due_at IS NOT NULL;
    CREATE INDEX api_keys_by_expiry ON api_keys (expires_at)
      WHERE expires_at IS NOT NULL AND revoked_at IS NULL AND replaced_at IS NULL;

    ALTER TABLE organizations ADD COLUMN leaked_secrets text NOT NULL DEFAULT 'revoke'
      CHECK (leaked_secrets IN ('revoke', 'roll'));
  `);
}

export { down } from './forward-only.ts';
