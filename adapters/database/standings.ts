import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { Standings } from '../../src/principals/standing.ts';
import type { Database } from './database.ts';
import { type AllowanceColumns, ORGANIZATION_ALLOWANCE, toAllowance } from './figures.ts';

type UserStandingRow = AllowanceColumns & {
  environment: Environment;
  scopes: Scope[];
  user_active: boolean;
  role: Role | null;
  grant_id: string | null;
  revoked: boolean;
};

type AppStandingRow = AllowanceColumns & {
  environment: Environment;
  scopes: Scope[];
  organization_id: string;
  revoked: boolean;
};

const REVOKED = `EXISTS (SELECT 1 FROM revoked_access_tokens t WHERE t.jti = :jti)
              OR NOT EXISTS (SELECT 1 FROM signing_keys s WHERE s.kid = :kid) AS revoked`;

/** What access tokens rest on, each read in one statement. */
export function createStandings(database: Database): Standings {
  return {
    ofUser: async (token) => {
      const { rows } = await database.sql().raw<{ rows: UserStandingRow[] }>(
        `SELECT a.environment, a.scopes, u.id IS NOT NULL AS user_active, m.role, g.id AS grant_id,
                ${REVOKED},
                a.limit_per_second, a.limit_per_minute, a.limit_per_day, ${ORGANIZATION_ALLOWANCE}
         FROM apps a
         JOIN organizations o ON o.id = :organizationId
         LEFT JOIN users u ON u.id = :userId AND u.deactivated_at IS NULL
         LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = :organizationId
         LEFT JOIN grants g ON g.user_id = u.id AND g.app_id = a.id AND g.organization_id = :organizationId
                           AND g.expires_at > now()
         WHERE a.id = :appId`,
        token,
      );
      const row = rows[0];
      return (
        row && {
          environment: row.environment,
          appScopes: row.scopes,
          userActive: row.user_active,
          role: row.role ?? undefined,
          grantId: row.grant_id ?? undefined,
          revoked: row.revoked,
          allowance: toAllowance(row, token.appId),
        }
      );
    },
    ofApp: async (token) => {
      const { rows } = await database.sql().raw<{ rows: AppStandingRow[] }>(
        `SELECT a.environment, a.scopes, a.organization_id, ${REVOKED},
                a.limit_per_second, a.limit_per_minute, a.limit_per_day, ${ORGANIZATION_ALLOWANCE}
         FROM apps a JOIN organizations o ON o.id = a.organization_id
         WHERE a.id = :appId`,
        token,
      );
      const row = rows[0];
      return (
        row && {
          environment: row.environment,
          appScopes: row.scopes,
          organizationId: row.organization_id,
          revoked: row.revoked,
          allowance: toAllowance(row, token.appId),
        }
      );
    },
  };
}
