import type { Knex } from 'knex';

/**
 * What apps carry for the rest of the OAuth family: where people land after signing out, keys of their own
 * (private_key_jwt), and apps that no organization registered: they registered themselves (RFC 7591), or are known by
 * the URL of their metadata document. And when a device last asked whether its person has decided.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE apps
      ADD COLUMN post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
      ADD COLUMN jwks jsonb CHECK (jsonb_typeof(jwks -> 'keys') = 'array'),
      ADD COLUMN jwks_uri text,
      ADD COLUMN source text NOT NULL DEFAULT 'organization'
        CHECK (source IN ('organization', 'registration', 'document')),
      ADD COLUMN registration_token_hash bytea UNIQUE CHECK (octet_length(registration_token_hash) = 32),
      ADD COLUMN document_fresh_until timestamptz,
      ADD CHECK (jwks IS NULL OR jwks_uri IS NULL),
      ADD CHECK ((jwks IS NULL AND jwks_uri IS NULL) OR kind IN ('web', 'service')),
      ALTER COLUMN organization_id DROP NOT NULL,
      ADD CHECK ((source = 'organization') = (organization_id IS NOT NULL)),
      ADD CHECK ((source = 'registration') = (registration_token_hash IS NOT NULL)),
      ADD CHECK ((source = 'document') = (document_fresh_until IS NOT NULL)),
      -- Nobody answers for an app that no organization registered: it never manages one, and acts for a person alone.
      ADD CHECK (source = 'organization' OR (kind <> 'service' AND NOT 'organization:admin' = ANY (scopes))),
      DROP CONSTRAINT apps_id_check,
      ADD CONSTRAINT apps_id_check
        CHECK (CASE source WHEN 'document' THEN id LIKE 'https://%' ELSE id LIKE 'app\\_%' END);
    CREATE INDEX apps_of_nobody ON apps (created_at) WHERE source <> 'organization';

    ALTER TABLE oauth_records ADD COLUMN polled_at timestamptz;
  `);
}

export { down } from './forward-only.ts';
