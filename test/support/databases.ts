import { randomBytes } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import knexFactory from 'knex';
import { type Database, openDatabase } from '../../adapters/database/database.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { harness, TEMPLATE_DATABASE, temporaryFolder } from './harness.ts';

/** A database that nobody else has, migrated; `close()` removes it. */
export type OpenDatabase = () => Promise<Database>;

/**
 * A migrated database on our own PostgreSQL server, for what opens it by its address: another process, several nodes.
 * `empty`: without any schema, as an operator creates it.
 */
export async function freshPostgres({
  empty = false,
} = {}): Promise<{ databaseUrl: string; drop(): Promise<void> }> {
  const adminUrl = harness().postgresUrl as string;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(adminUrl, 'CREATE DATABASE ?? TEMPLATE ??', [
    name,
    empty ? 'template0' : TEMPLATE_DATABASE,
  ]);
  const databaseUrl = new URL(`/${name}`, adminUrl).href;
  return { databaseUrl, drop: () => administer(adminUrl, 'DROP DATABASE ?? WITH (FORCE)', [name]) };
}

/** A DATA_DIR with a migrated embedded database in it. */
export function freshDataDir(): { dataDir: string; remove(): void } {
  const dataDir = temporaryFolder('data');
  cpSync(harness().seedDirectory, path.join(dataDir, 'database'), { recursive: true });
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

export async function openFreshPostgres(): Promise<Database> {
  const { databaseUrl, drop } = await freshPostgres();
  return withCleanUp(
    await openDatabase({
      databaseUrl,
      poolSize: 10,
      dataDir: harness().directory,
      logger: createLogger('error'),
    }),
    drop,
  );
}

export async function openFreshEmbedded(): Promise<Database> {
  const { dataDir, remove } = freshDataDir();
  return withCleanUp(
    await openDatabase({ databaseUrl: undefined, poolSize: 1, dataDir, logger: createLogger('error') }),
    remove,
  );
}

function withCleanUp(database: Database, cleanUp: () => void | Promise<void>): Database {
  return {
    ...database,
    close: async () => {
      await database.close();
      await cleanUp();
    },
  };
}

async function administer(url: string, statement: string, names: string[]): Promise<void> {
  const admin = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  try {
    await admin.raw(statement, names);
  } finally {
    await admin.destroy();
  }
}
