import type { Knex } from 'knex';

/**
 * What API keys carry beyond their scopes, when credentials were last used, invitations, and the feed by which
 * every process learns of a change that a credential rests on.
 *
 * Last uses stand in tables of their own: writing them must not look like a change of the key.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE api_keys
      ADD COLUMN created_by_app text REFERENCES apps ON DELETE SET NULL,
      ADD COLUMN ip_allowlist text[] NOT NULL DEFAULT '{}',
      ADD COLUMN limit_per_second integer CHECK (limit_per_second > 0),
      ADD COLUMN limit_per_minute integer CHECK (limit_per_minute > 0),
      ADD COLUMN limit_per_day integer CHECK (limit_per_day > 0),
      ADD COLUMN rotated_from text REFERENCES api_keys ON DELETE SET NULL,
      ADD COLUMN replaced_at timestamptz;

    -- How often all sessions of the person were ended. One that carries an earlier figure is not written again.
    ALTER TABLE users ADD COLUMN session_epoch integer NOT NULL DEFAULT 0;

    CREATE TABLE api_key_uses (
      api_key_id text PRIMARY KEY REFERENCES api_keys ON DELETE CASCADE,
      last_used_at timestamptz NOT NULL,
      last_used_ip text NOT NULL
    );

    ALTER TABLE apps ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

    CREATE TABLE app_secret_uses (
      app_secret_id text PRIMARY KEY REFERENCES app_secrets ON DELETE CASCADE,
      last_used_at timestamptz NOT NULL
    );

    CREATE TABLE invitations (
      id text PRIMARY KEY CHECK (id LIKE 'inv\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      email text NOT NULL CHECK (email = lower(email) AND char_length(email) <= 254),
      role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
      token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
      invited_by text REFERENCES users ON DELETE SET NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      UNIQUE (organization_id, email)
    );

    -- Payload: '<kind>:<id>', for what changed. Sent when the change commits, and only then.
    CREATE FUNCTION notify_credential_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('credential_changes',
        TG_ARGV[0] || ':' || (to_jsonb(CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END) ->> TG_ARGV[1]));
      RETURN NULL;
    END $$;

    CREATE TRIGGER credential_changes AFTER UPDATE OR DELETE ON api_keys
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('key', 'id');
    CREATE TRIGGER credential_changes AFTER INSERT OR UPDATE OR DELETE ON memberships
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('user', 'user_id');
    CREATE TRIGGER credential_changes AFTER UPDATE OR DELETE ON users
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('user', 'id');
    CREATE TRIGGER credential_changes AFTER UPDATE OR DELETE ON grants
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('user', 'user_id');
    CREATE TRIGGER credential_changes AFTER UPDATE OR DELETE ON apps
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('app', 'id');
    CREATE TRIGGER credential_changes AFTER INSERT OR UPDATE OR DELETE ON app_secrets
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('app', 'app_id');
    CREATE TRIGGER credential_changes AFTER UPDATE OR DELETE ON organizations
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('organization', 'id');
  `);
}

export { down } from './forward-only.ts';
