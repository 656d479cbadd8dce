import type { Knex } from 'knex';
import * as foundation from './migrations/0001-foundation.ts';
import * as resources from './migrations/0002-resources.ts';
import * as credentials from './migrations/0003-credentials.ts';
import * as usage from './migrations/0004-usage.ts';
import * as limits from './migrations/0005-limits.ts';
import * as tokenLife from './migrations/0006-token-life.ts';
import * as oauthFamily from './migrations/0007-oauth-family.ts';
import * as webhooks from './migrations/0008-webhooks.ts';
import * as account from './migrations/0009-account.ts';
import * as alerts from './migrations/0011-alerts.ts';
import * as defaultAllowlist from './migrations/0012-default-allowlist.ts';
import * as alertMails from './migrations/0013-alert-mails.ts';
import * as securityProfile from './migrations/0014-security-profile.ts';

/** In the order in which they run. A name, once released, never changes. */
const MIGRATIONS: Record<string, Knex.Migration> = {
  '0001-foundation': foundation,
  '0002-resources': resources,
  '0003-credentials': credentials,
  '0004-usage': usage,
  '0006-token-life': tokenLife,
  '0007-oauth-family': oauthFamily,
  '0008-webhooks': webhooks,
  '0009-account': account,
  '0005-limits': limits,
  '0011-alerts': alerts,
  '0012-default-allowlist': defaultAllowlist,
  '0013-alert-mails': alertMails,
  '0014-security-profile': securityProfile,
};

// Any number that nobody else locks; the same in every process.
const MIGRATION_LOCK = 727_001;

/**
 * A change of a table waits for those who use it, and whoever comes later waits behind it: behind a long dump, say, nobody
 * would be served. So it gives up soon, lets the others through, and comes again.
 */
const WAIT_MS = 200;
const PAUSE_MS = 1_000;
const ATTEMPTS = 500;

/**
 * Brings the schema up to date. All of it is one transaction under an advisory lock: processes that start
 * together wait for each other, and one that is killed in between leaves neither a half schema nor a lock.
 * Returns the names of the migrations that ran. Rejects when tables were in use for ten minutes on end.
 */
export async function migrate(knex: Knex): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runMigrations(knex);
    } catch (error) {
      if (attempt === ATTEMPTS || !isLockTimeout(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

const isLockTimeout = (error: unknown): boolean => (error as { code?: unknown }).code === '55P03';

const runMigrations = (knex: Knex): Promise<string[]> =>
  knex.transaction(async (transaction) => {
    await transaction.raw('SET LOCAL statement_timeout = 0');
    await transaction.raw('SELECT pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    await transaction.raw(`SET LOCAL lock_timeout = ${WAIT_MS}`); // not for the lock above, which keeps nobody else waiting
    const [, names] = (await transaction.migrate.latest({
      migrationSource: {
        getMigrations: () => Promise.resolve(Object.keys(MIGRATIONS)),
        getMigrationName: (name: string) => name,
        getMigration: (name: string) => Promise.resolve(MIGRATIONS[name] as Knex.Migration),
      },
      disableTransactions: true,
      tableName: 'migrations',
    })) as [number, string[]];
    return names;
  });
