import type { Knex } from 'knex';

/**
 * What the account pages keep: second factors, what is known of each signed-in browser, when an app last used what it
 * was allowed, and addresses that wait for their confirmation.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE organizations ADD COLUMN require_second_factor boolean NOT NULL DEFAULT false;

    ALTER TABLE email_tokens
      DROP CONSTRAINT email_tokens_purpose_check,
      ADD CONSTRAINT email_tokens_purpose_check
        CHECK (purpose IN ('confirm_email', 'reset_password', 'change_email')),
      ADD COLUMN new_email text CHECK (new_email = lower(new_email) AND char_length(new_email) <= 254),
      ADD CONSTRAINT email_tokens_change_check CHECK ((purpose = 'change_email') = (new_email IS NOT NULL));

    -- Beside the OAuth library's own record of a session, which is sealed and rewritten under a new id each time.
    -- By the keyed hash of what stays the same, as in oauth_records.uid_hash.
    CREATE TABLE session_details (
      uid_hash bytea PRIMARY KEY CHECK (octet_length(uid_hash) = 32),
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      user_agent text NOT NULL CHECK (char_length(user_agent) <= 400),
      ip text NOT NULL,
      signed_in_at timestamptz NOT NULL DEFAULT now(),
      last_seen_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX session_details_by_user ON session_details (user_id);

    CREATE TABLE totp_factors (
      user_id text PRIMARY KEY REFERENCES users ON DELETE CASCADE,
      sealed_secret bytea NOT NULL,
      -- The newest time step of which a code was taken: no code of it, or of one before it, is taken again.
      last_step bigint NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      last_used_at timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE passkeys (
      id text PRIMARY KEY CHECK (id LIKE 'psk\\_%'),
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
      public_key bytea NOT NULL,
      sign_count bigint NOT NULL CHECK (sign_count >= 0),
      transports text[] NOT NULL DEFAULT '{}',
      name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
      created_at timestamptz NOT NULL DEFAULT now(),
      last_used_at timestamptz
    );
    CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

    CREATE TABLE recovery_codes (
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
      used_at timestamptz,
      PRIMARY KEY (user_id, code_hash)
    );

    -- Challenges that a passkey has answered: none is answered twice.
    CREATE TABLE spent_challenges (
      challenge_hash bytea PRIMARY KEY CHECK (octet_length(challenge_hash) = 32),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX spent_challenges_by_expiry ON spent_challenges (expires_at);

    CREATE TABLE grant_uses (
      grant_id text PRIMARY KEY REFERENCES grants ON DELETE CASCADE,
      last_used_at timestamptz NOT NULL
    );
  `);
}

export { down } from './forward-only.ts';
