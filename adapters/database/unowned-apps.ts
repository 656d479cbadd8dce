import type { MetadataDocumentDeps } from '../../src/apps/client-metadata-document.ts';
import type { ClientFields } from '../../src/apps/client-registration.ts';
import type { RegisteredItself, RegistrationStore } from '../../src/apps/self-registration.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';
import { alone } from './locks.ts';

const UNUSED_DAYS = 30;

type Other = {
  /** Puts another hash in the place of a registration access token's; whose it was, or undefined. */
  replaceToken(hash: Buffer, other: Buffer): Promise<string | undefined>;
  sweep(most: number): Promise<number>;
};

/** Apps that no organization registered: by themselves (RFC 7591), or by a metadata document. All are of the live environment. */
export function createUnownedAppStore(
  database: Database,
): RegistrationStore & MetadataDocumentDeps['store'] & Other {
  const apps = () => database.sql()('apps');
  const registered = (id: string, tokenHash: Buffer) =>
    apps().where({ id, source: 'registration', registration_token_hash: tokenHash });

  return {
    insert: async (id, fields, tokenHash, at) => {
      await apps().insert({
        id,
        ...columnsOf(fields),
        source: 'registration',
        registration_token_hash: tokenHash,
        created_at: at,
        updated_at: at,
      });
    },
    addSecret: async (appId, secret, at) => {
      const row = {
        id: secret.id,
        app_id: appId,
        secret_hash: secret.hash,
        last4: secret.last4,
        created_at: at,
      };
      await database.sql()('app_secrets').insert(row);
    },
    find: async (id, tokenHash) => {
      const row = await registered(id, tokenHash).first<Row | undefined>();
      return row && toRegistered(row);
    },
    findForChange: async (id, tokenHash) => {
      const row = await registered(id, tokenHash).forNoKeyUpdate().first<Row | undefined>();
      return row && toRegistered(row);
    },
    findForDeletion: async (id, tokenHash) => {
      await database.sql().raw(`SELECT ${alone('app', ':id')}`, { id });
      const row = await registered(id, tokenHash).forNoKeyUpdate().first<Row | undefined>();
      return row && toRegistered(row);
    },
    update: async (id, fields, at) => {
      await apps()
        .where({ id, source: 'registration' })
        .update({ ...columnsOf(fields), updated_at: at });
    },
    hasSecret: async (appId, hash) =>
      (await database.sql()('app_secrets').where({ app_id: appId, secret_hash: hash }).first('id')) !==
      undefined,
    deleteSecrets: async (appId) => {
      await database.sql()('app_secrets').where({ app_id: appId }).delete();
    },
    replaceToken: async (hash, other) => {
      const [row] = await apps()
        .where({ source: 'registration', registration_token_hash: hash })
        .update({ registration_token_hash: other }, ['id']);
      return (row as { id: string } | undefined)?.id;
    },
    delete: async (id, tokenHash) => (await registered(id, tokenHash).delete()) === 1,

    freshUntil: async (id) => {
      const row = await apps()
        .where({ id, source: 'document' })
        .first<{ document_fresh_until: Date } | undefined>('document_fresh_until');
      return row?.document_fresh_until;
    },
    save: async (id, fields, freshUntil, at) => {
      const columns = { ...columnsOf(fields), document_fresh_until: freshUntil, updated_at: at };
      await apps()
        .insert({ id, source: 'document', created_at: at, ...columns })
        .onConflict('id')
        .merge(columns);
    },

    /** Forgets apps that nobody allowed anything in the days since they came. */
    sweep: (most) =>
      clearSome(
        database,
        {
          table: 'apps',
          key: 'id',
          condition: `source <> 'organization' AND created_at < now() - :days * interval '1 day'
            AND NOT EXISTS (SELECT FROM grants WHERE app_id = t.id)`,
          bindings: { days: UNUSED_DAYS },
        },
        most,
      ),
  };
}

type Row = {
  id: string;
  name: string;
  kind: ClientFields['kind'];
  redirect_uris: string[];
  post_logout_redirect_uris: string[];
  scopes: ClientFields['scopes'];
  jwks: ClientFields['jwks'] | null;
  jwks_uri: string | null;
  homepage_url: string | null;
  privacy_url: string | null;
  created_at: Date;
};

const columnsOf = (fields: ClientFields) => ({
  name: fields.name,
  kind: fields.kind,
  environment: 'live',
  redirect_uris: fields.redirectUris,
  post_logout_redirect_uris: fields.postLogoutRedirectUris,
  scopes: fields.scopes,
  require_pkce: true,
  jwks: fields.jwks ?? null,
  jwks_uri: fields.jwksUri ?? null,
  homepage_url: fields.homepageUrl ?? null,
  privacy_url: fields.privacyUrl ?? null,
});

const toRegistered = (row: Row): RegisteredItself => ({
  id: row.id,
  createdAt: row.created_at,
  name: row.name,
  kind: row.kind,
  redirectUris: row.redirect_uris,
  postLogoutRedirectUris: row.post_logout_redirect_uris,
  scopes: row.scopes,
  jwks: row.jwks ?? undefined,
  jwksUri: row.jwks_uri ?? undefined,
  homepageUrl: row.homepage_url ?? undefined,
  privacyUrl: row.privacy_url ?? undefined,
});
