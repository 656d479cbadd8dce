import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { ApiKeyStore } from '../../src/api-keys/api-key.ts';
import type { Database } from './database.ts';

type KeyInUseRow = {
  id: string;
  organization_id: string;
  environment: Environment;
  scopes: Scope[];
  expires_at: Date | null;
  revoked_at: Date | null;
  creator_role: Role | null;
  read_at: Date;
};

/** API keys by their hash, with the standing of who made them. */
export function createApiKeyStore(database: Database): ApiKeyStore {
  return {
    insert: async (key, hash) => {
      await database
        .sql()('api_keys')
        .insert({
          id: key.id,
          organization_id: key.organizationId,
          name: key.name,
          environment: key.environment,
          scopes: [...key.scopes],
          key_hash: hash,
          last4: key.last4,
          created_by: key.createdBy,
          created_at: key.createdAt,
          expires_at: key.expiresAt,
        });
    },
    findByHash: async (hash) => {
      const { rows } = await database.sql().raw<{ rows: KeyInUseRow[] }>(
        `SELECT k.id, k.organization_id, k.environment, k.scopes, k.expires_at, k.revoked_at,
                m.role AS creator_role, now() AS read_at
         FROM api_keys k
         LEFT JOIN users u ON u.id = k.created_by AND u.deactivated_at IS NULL
         LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = k.organization_id
         WHERE k.key_hash = ?`,
        [hash],
      );
      const row = rows[0];
      return (
        row && {
          id: row.id,
          organizationId: row.organization_id,
          environment: row.environment,
          scopes: row.scopes,
          expiresAt: row.expires_at ?? undefined,
          revokedAt: row.revoked_at ?? undefined,
          creatorRole: row.creator_role ?? undefined,
          readAt: row.read_at,
        }
      );
    },
  };
}
