import type { RevokedTokens } from '../../src/oauth/access-tokens.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

/** Ids of access tokens that were revoked. Inserting one notifies every process, by the table's trigger. */
export function createRevokedTokens(database: Database): RevokedTokens {
  return {
    add: async ({ jti, expiresAt }) => {
      const added = await database
        .sql()('revoked_access_tokens')
        .insert({ jti, expires_at: expiresAt })
        .onConflict('jti')
        .ignore()
        .returning('jti');
      return added.length === 1;
    },
    sweep: (most) =>
      clearSome(
        database,
        { table: 'revoked_access_tokens', key: 'jti', condition: 'expires_at < now()' },
        most,
      ),
  };
}
