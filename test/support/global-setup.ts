import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { openDatabase } from '../../adapters/database/database.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { type Guardian, startGuardian } from './guardian.ts';
import { publishHarness, TEMPLATE_DATABASE } from './harness.ts';
import { startPostgres } from './postgres.ts';
import { isAvailable } from './services.ts';

declare global {
  var testGuardian: Guardian | undefined;
}

const ROOT = path.resolve(import.meta.dirname, '../..');
const SEED_CACHE = path.join(ROOT, 'node_modules/.cache/promptreports-test');
const SEED_SOURCES = [
  'adapters/database/migrate.ts',
  'adapters/database/migrations/*.ts',
  'node_modules/@electric-sql/pglite/package.json',
];
const logger = createLogger('warn');

/** Once before all test files: our own PostgreSQL with a migrated template in it, and an embedded database's files. */
export default async function setup(): Promise<void> {
  const guardian = startGuardian();
  globalThis.testGuardian = guardian;
  const { directory } = guardian;
  // One after the other: the embedded one blocks the process while it works, and timers of the other would run out.
  const postgresUrl = await startMigratedPostgres(directory);
  const seedDirectory = await embeddedSeed(directory);
  publishHarness({ directory, seedDirectory, postgresUrl });
}

async function startMigratedPostgres(directory: string): Promise<string | undefined> {
  if (!isAvailable('postgresql')) return undefined;
  const server = await startPostgres(directory);
  const options = { poolSize: 1, dataDir: directory, logger };
  const admin = await openDatabase({ ...options, databaseUrl: server.url('postgres') });
  await admin.sql().raw('CREATE DATABASE ??', [TEMPLATE_DATABASE]);
  await admin.close();
  const template = await openDatabase({ ...options, databaseUrl: server.url(TEMPLATE_DATABASE) });
  await template.close();
  return server.url('postgres');
}

/**
 * Making one takes five seconds and copying it a twentieth of one, so it is kept from run to run for as long as
 * PGlite and the migrations stay the same. Other runs may be at the same cache.
 */
async function embeddedSeed(directory: string): Promise<string> {
  const seed = path.join(directory, 'seed');
  const hash = createHash('sha256');
  for (const file of globSync(SEED_SOURCES, { cwd: ROOT }).sort())
    hash.update(readFileSync(path.join(ROOT, file)));
  const cached = path.join(SEED_CACHE, hash.digest('hex').slice(0, 16));
  try {
    cpSync(cached, seed, { recursive: true });
  } catch {
    rmSync(seed, { recursive: true, force: true });
    const database = await openDatabase({ databaseUrl: undefined, poolSize: 1, dataDir: seed, logger });
    await database.close();
    keepSeed(seed, cached);
  }
  return path.join(seed, 'database');
}

function keepSeed(seed: string, cached: string): void {
  rmSync(SEED_CACHE, { recursive: true, force: true });
  mkdirSync(SEED_CACHE, { recursive: true });
  const copy = mkdtempSync(path.join(SEED_CACHE, 'copy-'));
  cpSync(seed, copy, { recursive: true });
  if (!existsSync(cached)) renameSync(copy, cached);
}
