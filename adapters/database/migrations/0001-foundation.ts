import type { Knex } from 'knex';

/**
 * People, organizations, apps, OAuth state, keys, prompts and the audit log.
 * Times are timestamptz; ids are text with the prefix of their kind, held to it by a check.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE organizations (
      id text PRIMARY KEY CHECK (id LIKE 'org\\_%'),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
      plan text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro', 'business', 'enterprise')),
      created_at timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE users (
      id text PRIMARY KEY CHECK (id LIKE 'usr\\_%'),
      email text NOT NULL UNIQUE CHECK (email = lower(email) AND char_length(email) <= 254),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
      password_hash text NOT NULL,
      email_confirmed_at timestamptz,
      deactivated_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE memberships (
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (organization_id, user_id)
    );
    CREATE INDEX memberships_by_user ON memberships (user_id);

    -- One-time links that were mailed: only the hash of the token is here.
    CREATE TABLE email_tokens (
      token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      purpose text NOT NULL CHECK (purpose IN ('confirm_email', 'reset_password')),
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX email_tokens_by_user ON email_tokens (user_id, purpose);
    CREATE INDEX email_tokens_by_expiry ON email_tokens (expires_at);

    CREATE TABLE apps (
      id text PRIMARY KEY CHECK (id LIKE 'app\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
      kind text NOT NULL CHECK (kind IN ('web', 'spa', 'native', 'service')),
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      redirect_uris text[] NOT NULL DEFAULT '{}',
      scopes text[] NOT NULL DEFAULT '{}',
      require_pkce boolean NOT NULL DEFAULT true,
      homepage_url text,
      logo_url text,
      privacy_url text,
      created_by text REFERENCES users ON DELETE SET NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CHECK (require_pkce OR kind = 'web'),
      CHECK ((kind = 'service') = (cardinality(redirect_uris) = 0))
    );
    CREATE INDEX apps_by_organization ON apps (organization_id, id);

    CREATE TABLE app_secrets (
      id text PRIMARY KEY CHECK (id LIKE 'sec\\_%'),
      app_id text NOT NULL REFERENCES apps ON DELETE CASCADE,
      secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
      last4 text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz
    );
    CREATE INDEX app_secrets_by_app ON app_secrets (app_id);

    CREATE TABLE api_keys (
      id text PRIMARY KEY CHECK (id LIKE 'key\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      scopes text[] NOT NULL,
      key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
      last4 text NOT NULL CHECK (char_length(last4) = 4),
      created_by text REFERENCES users ON DELETE SET NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      revoked_at timestamptz
    );
    CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id);

    -- What a person allowed an app to do in an organization. Its id is internal: it is no credential.
    CREATE TABLE grants (
      id text PRIMARY KEY,
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      app_id text NOT NULL REFERENCES apps ON DELETE CASCADE,
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      payload jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      UNIQUE (user_id, app_id, organization_id)
    );
    CREATE INDEX grants_by_app ON grants (app_id);
    CREATE INDEX grants_by_expiry ON grants (expires_at);

    -- Everything else that the OAuth library keeps. Ids are SHA-256 of kind and id: what is here opens nothing.
    CREATE TABLE oauth_records (
      id_hash bytea PRIMARY KEY CHECK (octet_length(id_hash) = 32),
      kind text NOT NULL,
      grant_id text,
      user_id text,
      uid_hash bytea,
      user_code_hash bytea,
      payload jsonb,
      sealed bytea,
      consumed_at timestamptz,
      sealed_answer bytea, -- what a rotation answered, for repeats within the grace
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      CHECK ((payload IS NULL) <> (sealed IS NULL))
    );
    CREATE INDEX oauth_records_by_grant ON oauth_records (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX oauth_records_sessions_by_user ON oauth_records (user_id) WHERE kind = 'Session';
    CREATE UNIQUE INDEX oauth_records_by_uid ON oauth_records (uid_hash) WHERE uid_hash IS NOT NULL;
    CREATE UNIQUE INDEX oauth_records_by_user_code ON oauth_records (user_code_hash) WHERE user_code_hash IS NOT NULL;
    CREATE INDEX oauth_records_with_answer ON oauth_records (consumed_at) WHERE sealed_answer IS NOT NULL;
    CREATE INDEX oauth_records_by_expiry ON oauth_records (expires_at);

    CREATE TABLE signing_keys (
      kid text PRIMARY KEY,
      algorithm text NOT NULL CHECK (algorithm IN ('RS256', 'ES256', 'EdDSA')),
      status text NOT NULL CHECK (status IN ('next', 'current', 'retired')),
      public_jwk jsonb NOT NULL,
      sealed_private_jwk bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (algorithm) WHERE status = 'current';

    CREATE TABLE audit_events (
      id text PRIMARY KEY CHECK (id LIKE 'aud\\_%'),
      organization_id text REFERENCES organizations ON DELETE CASCADE,
      type text NOT NULL,
      actor_type text NOT NULL CHECK (actor_type IN ('user', 'app', 'api_key', 'operator', 'system')),
      actor_id text,
      target_id text,
      ip text,
      data jsonb NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX audit_events_by_organization ON audit_events (organization_id, id);

    CREATE TABLE prompts (
      id text PRIMARY KEY CHECK (id LIKE 'prm\\_%'),
      organization_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
      environment text NOT NULL CHECK (environment IN ('live', 'test')),
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
      content text NOT NULL CHECK (octet_length(content) <= 100000),
      folder_id text,
      metadata jsonb NOT NULL DEFAULT '{}',
      version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX prompts_by_organization ON prompts (organization_id, environment, id);

    CREATE TABLE prompt_versions (
      id text PRIMARY KEY CHECK (id LIKE 'ver\\_%'),
      prompt_id text NOT NULL REFERENCES prompts ON DELETE CASCADE,
      number integer NOT NULL CHECK (number >= 1),
      content text NOT NULL CHECK (octet_length(content) <= 100000),
      created_at timestamptz NOT NULL DEFAULT now(),
      UNIQUE (prompt_id, number)
    );
  `);
}

export { down } from './forward-only.ts';
