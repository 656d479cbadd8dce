import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { ApiKey, ApiKeyStore } from '../../src/api-keys/api-key.ts';
import type { Visible } from '../../src/principals/principal.ts';
import type { Database } from './database.ts';
import {
  type AllowanceColumns,
  fromFigures,
  type LimitColumns,
  ORGANIZATION_ALLOWANCE,
  toAllowance,
  toFigures,
} from './figures.ts';
import { countLocked } from './lock-organization.ts';
import { newestFirst } from './page.ts';

type KeyRow = LimitColumns & {
  id: string;
  organization_id: string;
  name: string;
  environment: Environment;
  scopes: Scope[];
  last4: string;
  created_by: string | null;
  created_by_app: string | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  ip_allowlist: string[];
  rotated_from: string | null;
  first_key_id: string | null;
  replaced_at: Date | null;
  last_used_at: Date | null;
  last_used_ip: string | null;
};

type KeyInUseRow = KeyRow &
  AllowanceColumns & {
    creator_role: Role | null;
    creator_app_scopes: Scope[] | null;
    organization_ip_allowlist: string[];
    read_at: Date;
  };

/** By the database's clock. */
const USABLE = "(api_keys.revoked_at IS NULL AND coalesce(api_keys.expires_at, 'infinity') > now())";

/** API keys, by their hash with the standing of who made them, and by their organization. */
export function createApiKeyStore(database: Database): ApiKeyStore {
  const owned = ({ organizationId, environments }: Visible) =>
    database
      .sql()('api_keys')
      .leftJoin('api_key_uses', 'api_key_uses.api_key_id', 'api_keys.id')
      .where('api_keys.organization_id', organizationId)
      .whereIn('api_keys.environment', environments)
      .select<KeyRow[]>('api_keys.*', 'api_key_uses.last_used_at', 'api_key_uses.last_used_ip');

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
          created_by_app: key.createdByApp,
          created_at: key.createdAt,
          expires_at: key.expiresAt,
          ip_allowlist: [...key.ipAllowlist],
          ...fromFigures(key.limits),
          rotated_from: key.rotatedFrom,
          first_key_id: key.firstKeyId,
        });
    },
    findByHash: async (hash) => {
      const { rows } = await database.sql().raw<{ rows: KeyInUseRow[] }>(
        `SELECT k.*, m.role AS creator_role, a.scopes AS creator_app_scopes, now() AS read_at,
                o.ip_allowlist AS organization_ip_allowlist,
                ${ORGANIZATION_ALLOWANCE}
         FROM api_keys k
         JOIN organizations o ON o.id = k.organization_id
         LEFT JOIN users u ON u.id = k.created_by AND u.deactivated_at IS NULL
         LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = k.organization_id
         LEFT JOIN apps a ON a.id = k.created_by_app AND a.organization_id = k.organization_id
         WHERE k.key_hash = ?`,
        [hash],
      );
      const row = rows[0];
      return (
        row && {
          ...toApiKey(row),
          creatorRole: row.creator_role ?? undefined,
          creatorAppScopes: row.creator_app_scopes ?? undefined,
          organizationIpAllowlist: row.organization_ip_allowlist,
          readAt: row.read_at,
          allowance: toAllowance(row, row.first_key_id ?? row.id),
        }
      );
    },
    find: async (owner, id) => {
      const [row] = await owned(owner).where('api_keys.id', id);
      return row && toApiKey(row);
    },
    list: async (owner, { usable, ...page }) => {
      const rows = await owned(owner)
        .modify((query) => {
          if (usable !== undefined) void query.whereRaw(`${usable ? '' : 'NOT '}${USABLE}`);
        })
        .modify(newestFirst(page, 'api_keys.id'));
      return rows.map(toApiKey);
    },
    findForChange: async (owner, id) => {
      const [row] = await owned(owner).where('api_keys.id', id).forNoKeyUpdate('api_keys');
      return row && toApiKey(row);
    },
    update: async (id, change) => {
      const columns = {
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.scopes === undefined ? {} : { scopes: [...change.scopes] }),
        ...('expiresAt' in change ? { expires_at: change.expiresAt ?? null } : {}),
        ...(change.ipAllowlist === undefined ? {} : { ip_allowlist: [...change.ipAllowlist] }),
        ...(change.limits === undefined ? {} : fromFigures(change.limits)),
      };
      if (Object.keys(columns).length > 0) await database.sql()('api_keys').where({ id }).update(columns);
    },
    revoke: async (id) => {
      await database
        .sql()('api_keys')
        .where({ id })
        .whereNull('revoked_at')
        .update({ revoked_at: database.sql().fn.now() });
    },
    replace: async (id, graceSeconds) => {
      await database.sql().raw(
        `UPDATE api_keys SET replaced_at = now(),
                expires_at = LEAST(coalesce(expires_at, 'infinity'), now() + ? * interval '1 second')
         WHERE id = ?`,
        [graceSeconds, id],
      );
    },
    countUsable: (organizationId) =>
      countLocked(database, 'api_keys', organizationId, (keys) => void keys.whereRaw(USABLE)),
    recordUses: async (uses) => {
      if (uses.length === 0) return;
      // In one order everywhere, so that processes that write at once wait for each other instead of deadlocking.
      await database.sql().raw(
        `INSERT INTO api_key_uses (api_key_id, last_used_at, last_used_ip)
         SELECT u.id, u.at, u.ip FROM unnest(?::text[], ?::timestamptz[], ?::text[]) AS u (id, at, ip)
         JOIN api_keys ON api_keys.id = u.id ORDER BY u.id
         ON CONFLICT (api_key_id) DO UPDATE SET last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip
         WHERE api_key_uses.last_used_at < excluded.last_used_at`,
        [uses.map(({ id }) => id), uses.map(({ at }) => at.toISOString()), uses.map(({ ip }) => ip)],
      );
    },
  };
}

const toApiKey = (row: KeyRow): ApiKey => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  environment: row.environment,
  scopes: row.scopes,
  last4: row.last4,
  createdBy: row.created_by ?? undefined,
  createdByApp: row.created_by_app ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
  ipAllowlist: row.ip_allowlist,
  limits: toFigures(row),
  rotatedFrom: row.rotated_from ?? undefined,
  firstKeyId: row.first_key_id ?? undefined,
  replacedAt: row.replaced_at ?? undefined,
  lastUsedAt: row.last_used_at ?? undefined,
  lastUsedIp: row.last_used_ip ?? undefined,
});
