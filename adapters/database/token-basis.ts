import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Role } from '../../config/roles.ts';
import type { TokenBases } from '../../src/oauth/token-basis.ts';
import type { Database } from './database.ts';
import { hashId, KEPT_PAST_EXPIRY } from './oauth-records.ts';

type Row = {
  payload: AdapterPayload;
  consumed_at: Date | null;
  grant_id: string | null;
  grant_payload: AdapterPayload;
  organization_id: string;
  user_id: string;
  active_id: string | null;
  email: string;
  name: string;
  email_confirmed_at: Date | null;
  role: Role | null;
};

/** Codes and refresh tokens, which during a token request are read together with what they rest on. */
export function readWithBasis(
  kind: 'AuthorizationCode' | 'RefreshToken',
  adapter: Adapter,
  database: Database,
  bases: TokenBases,
): Adapter {
  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    const { rows } = await database.sql().raw<{ rows: Row[] }>(
      `SELECT r.payload, r.consumed_at, g.id AS grant_id, g.payload AS grant_payload, g.organization_id, g.user_id,
              u.id AS active_id, u.email, u.name, u.email_confirmed_at, m.role
       FROM oauth_records r
       LEFT JOIN grants g ON g.id = r.grant_id AND g.expires_at > now()
       LEFT JOIN users u ON u.id = g.user_id AND u.deactivated_at IS NULL
       LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = g.organization_id
       WHERE r.id_hash = :hash AND r.kind = :kind AND r.expires_at > now() - ${KEPT_PAST_EXPIRY}`,
      { hash: hashId(kind, id), kind },
    );
    const [row] = rows;
    if (!row) return undefined;
    if (row.grant_id !== null) {
      bases.put({
        grantId: row.grant_id,
        grant: row.grant_payload,
        organizationId: row.organization_id,
        userId: row.user_id,
        account:
          row.active_id === null
            ? undefined
            : {
                id: row.active_id,
                email: row.email,
                name: row.name,
                emailConfirmed: row.email_confirmed_at !== null,
              },
        role: row.role ?? undefined,
      });
    }
    const consumed = row.consumed_at && { consumed: Math.floor(row.consumed_at.getTime() / 1000) };
    return { ...row.payload, jti: id, ...consumed };
  };
  return { ...adapter, find: (id) => (bases.isOpen() ? find(id) : adapter.find(id)) };
}

/** Grants, which need not be read again when their code or refresh token brought them. */
export const grantsWithBasis = (adapter: Adapter, bases: TokenBases): Adapter => ({
  ...adapter,
  find: async (id) => bases.ofGrant(id)?.grant ?? adapter.find(id),
});
