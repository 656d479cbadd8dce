import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';
import type { AppKind, AppStore } from '../../src/apps/app.ts';
import type { Database } from './database.ts';

type RegisteredRow = {
  id: string;
  organization_id: string;
  organization_name: string;
  name: string;
  kind: AppKind;
  environment: Environment;
  redirect_uris: string[];
  scopes: Scope[];
  require_pkce: boolean;
  homepage_url: string | null;
  logo_url: string | null;
  privacy_url: string | null;
  created_by: string | null;
  secrets: { id: string; hash: string; last4: string; expires_at: string | null }[];
};

/** OAuth clients and the hashes of their secrets. */
export function createAppStore(database: Database): AppStore {
  return {
    insert: async (app) => {
      await database.sql()('apps').insert({
        id: app.id,
        organization_id: app.organizationId,
        name: app.name,
        kind: app.kind,
        environment: app.environment,
        redirect_uris: app.redirectUris,
        scopes: app.scopes,
        require_pkce: app.requirePkce,
        homepage_url: app.homepageUrl,
        logo_url: app.logoUrl,
        privacy_url: app.privacyUrl,
        created_by: app.createdBy,
      });
    },
    addSecret: async (appId, secret) => {
      await database.sql()('app_secrets').insert({
        id: secret.id,
        app_id: appId,
        secret_hash: secret.hash,
        last4: secret.last4,
        expires_at: secret.expiresAt,
      });
    },
    findRegistered: async (id) => {
      const { rows } = await database.sql().raw<{ rows: RegisteredRow[] }>(
        `SELECT apps.*, organizations.name AS organization_name,
                coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'id', s.id, 'hash', encode(s.secret_hash, 'hex'), 'last4', s.last4, 'expires_at', s.expires_at))
                          FROM app_secrets s
                          WHERE s.app_id = apps.id AND (s.expires_at IS NULL OR s.expires_at > now())), '[]') AS secrets
         FROM apps JOIN organizations ON organizations.id = apps.organization_id
         WHERE apps.id = ?`,
        [id],
      );
      const row = rows[0];
      return (
        row && {
          id: row.id,
          organizationId: row.organization_id,
          organizationName: row.organization_name,
          name: row.name,
          kind: row.kind,
          environment: row.environment,
          redirectUris: row.redirect_uris,
          scopes: row.scopes,
          requirePkce: row.require_pkce,
          homepageUrl: row.homepage_url ?? undefined,
          logoUrl: row.logo_url ?? undefined,
          privacyUrl: row.privacy_url ?? undefined,
          createdBy: row.created_by ?? undefined,
          secrets: row.secrets.map((secret) => ({
            id: secret.id,
            hash: Buffer.from(secret.hash, 'hex'),
            last4: secret.last4,
            expiresAt: secret.expires_at === null ? undefined : new Date(secret.expires_at),
          })),
        }
      );
    },
  };
}
