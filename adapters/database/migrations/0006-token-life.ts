import type { Knex } from 'knex';

/**
 * What ends a token before its time, and what signs the next ones.
 *
 * An access token is a JWT that nobody keeps: one that was revoked is kept, by its id, until it would have expired.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE revoked_access_tokens (
      jti text PRIMARY KEY CHECK (char_length(jti) BETWEEN 1 AND 200),
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX revoked_access_tokens_by_expiry ON revoked_access_tokens (expires_at);
    CREATE TRIGGER credential_changes AFTER INSERT ON revoked_access_tokens
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('token', 'jti');

    -- resource_server: marked by the operator, to introspect and revoke tokens of every organization.
    ALTER TABLE apps
      ADD COLUMN resource_server boolean NOT NULL DEFAULT false,
      ADD COLUMN token_signing_alg text NOT NULL DEFAULT 'RS256'
        CHECK (token_signing_alg IN ('RS256', 'ES256', 'EdDSA'));

    -- created_at is when a key was published; activated_at, when it began to sign.
    ALTER TABLE signing_keys
      ADD COLUMN activated_at timestamptz,
      ADD COLUMN rotation_requested_at timestamptz,
      ADD COLUMN retired_at timestamptz,
      ADD CHECK ((status = 'retired') = (retired_at IS NOT NULL));
    UPDATE signing_keys SET activated_at = created_at WHERE status = 'current';
    CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (algorithm) WHERE status = 'next';
    CREATE TRIGGER credential_changes AFTER INSERT OR UPDATE OR DELETE ON signing_keys
      FOR EACH ROW EXECUTE FUNCTION notify_credential_change('signing-key', 'kid');
  `);
}

export { down } from './forward-only.ts';
