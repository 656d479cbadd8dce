import type { AppKind } from '../../config/app-kinds.ts';
import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';
import type { SecurityProfile } from '../../config/security-profiles.ts';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { App, AppChange, AppSource, AppStore } from '../../src/apps/app.ts';
import type { Jwks } from '../../src/apps/jwks.ts';
import type { Visible } from '../../src/principals/principal.ts';
import { appSecrets } from './app-secrets.ts';
import type { Database } from './database.ts';
import { fromFigures, type LimitColumns, toFigures } from './figures.ts';
import { countLocked } from './lock-organization.ts';
import { alone } from './locks.ts';
import { newestFirst } from './page.ts';

type AppRow = LimitColumns & {
  id: string;
  organization_id: string;
  name: string;
  kind: AppKind;
  environment: Environment;
  redirect_uris: string[];
  scopes: Scope[];
  require_pkce: boolean;
  post_logout_redirect_uris: string[];
  jwks: Jwks | null;
  jwks_uri: string | null;
  token_signing_alg: SigningAlgorithm;
  security_profile: SecurityProfile;
  homepage_url: string | null;
  logo_url: string | null;
  privacy_url: string | null;
  created_by: string | null;
  created_at: Date;
  updated_at: Date;
};

type RegisteredRow = Omit<AppRow, 'organization_id'> & {
  organization_id: string | null;
  organization_name: string | null;
  source: AppSource;
  resource_server: boolean;
  secrets: { id: string; hash: string; last4: string; expires_at: string | null }[];
};

const COLUMNS = {
  name: 'name',
  redirectUris: 'redirect_uris',
  scopes: 'scopes',
  requirePkce: 'require_pkce',
  postLogoutRedirectUris: 'post_logout_redirect_uris',
  jwks: 'jwks',
  jwksUri: 'jwks_uri',
  tokenSigningAlg: 'token_signing_alg',
  securityProfile: 'security_profile',
  homepageUrl: 'homepage_url',
  logoUrl: 'logo_url',
  privacyUrl: 'privacy_url',
} as const satisfies Record<keyof Omit<AppChange, 'limits'>, keyof AppRow>;

/** OAuth clients and the hashes of their secrets. */
export function createAppStore(database: Database): AppStore {
  const apps = () => database.sql()('apps');
  const owned = ({ organizationId, environments }: Visible) =>
    apps().where({ organization_id: organizationId }).whereIn('environment', environments);

  return {
    insert: async (app) => {
      await apps().insert({
        id: app.id,
        organization_id: app.organizationId,
        name: app.name,
        kind: app.kind,
        environment: app.environment,
        redirect_uris: app.redirectUris,
        scopes: app.scopes,
        require_pkce: app.requirePkce,
        post_logout_redirect_uris: app.postLogoutRedirectUris,
        jwks: app.jwks,
        jwks_uri: app.jwksUri,
        ...fromFigures(app.limits),
        token_signing_alg: app.tokenSigningAlg,
        security_profile: app.securityProfile,
        homepage_url: app.homepageUrl,
        logo_url: app.logoUrl,
        privacy_url: app.privacyUrl,
        created_by: app.createdBy,
        created_at: app.createdAt,
        updated_at: app.updatedAt,
      });
    },
    findRegistered: async (id) => {
      const { rows } = await database.sql().raw<{ rows: RegisteredRow[] }>(
        `SELECT apps.*, organizations.name AS organization_name,
                coalesce((SELECT jsonb_agg(jsonb_build_object(
                            'id', s.id, 'hash', encode(s.secret_hash, 'hex'), 'last4', s.last4, 'expires_at', s.expires_at))
                          FROM app_secrets s
                          WHERE s.app_id = apps.id AND (s.expires_at IS NULL OR s.expires_at > now())), '[]') AS secrets
         FROM apps LEFT JOIN organizations ON organizations.id = apps.organization_id
         WHERE apps.id = ?`,
        [id],
      );
      const row = rows[0];
      return (
        row && {
          ...toApp({ ...row, organization_id: '' }),
          organizationId: row.organization_id ?? undefined,
          organizationName: row.organization_name ?? undefined,
          source: row.source,
          resourceServer: row.resource_server,
          secrets: row.secrets.map((secret) => ({
            id: secret.id,
            hash: Buffer.from(secret.hash, 'hex'),
            last4: secret.last4,
            expiresAt: secret.expires_at === null ? undefined : new Date(secret.expires_at),
          })),
        }
      );
    },
    find: async (owner, id) => {
      const row = await owned(owner).where({ id }).first<AppRow | undefined>();
      return row && toApp(row);
    },
    list: async (owner, page) => {
      const rows = await owned(owner).modify(newestFirst(page)).select<AppRow[]>();
      return rows.map(toApp);
    },
    findForChange: async (owner, id) => {
      const row = await owned(owner).where({ id }).forNoKeyUpdate().first<AppRow | undefined>();
      return row && toApp(row);
    },
    findForDeletion: async (owner, id) => {
      await database.sql().raw(`SELECT ${alone('app', ':id')}`, { id });
      const row = await owned(owner).where({ id }).forNoKeyUpdate().first<AppRow | undefined>();
      return row && toApp(row);
    },
    update: async (id, change, at) => {
      const { limits, ...rest } = change;
      const columns = Object.entries(rest).map(([member, value]) => [
        COLUMNS[member as keyof typeof COLUMNS],
        value ?? null,
      ]);
      await apps()
        .where({ id })
        .update({ ...Object.fromEntries(columns), ...(limits ? fromFigures(limits) : {}), updated_at: at });
    },
    setResourceServer: async (id, resourceServer) => {
      await apps().where({ id }).update({ resource_server: resourceServer });
    },
    delete: async (id) => {
      await apps().where({ id }).delete();
    },
    countOf: (organizationId) => countLocked(database, 'apps', organizationId),
    ...appSecrets(database),
  };
}

const toApp = (row: AppRow): App => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  kind: row.kind,
  environment: row.environment,
  redirectUris: row.redirect_uris,
  scopes: row.scopes,
  requirePkce: row.require_pkce,
  postLogoutRedirectUris: row.post_logout_redirect_uris,
  jwks: row.jwks ?? undefined,
  jwksUri: row.jwks_uri ?? undefined,
  limits: toFigures(row),
  tokenSigningAlg: row.token_signing_alg,
  securityProfile: row.security_profile,
  homepageUrl: row.homepage_url ?? undefined,
  logoUrl: row.logo_url ?? undefined,
  privacyUrl: row.privacy_url ?? undefined,
  createdBy: row.created_by ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
