import { type Database, openDatabase } from '../adapters/database/database.ts';
import type { Config } from '../config/config.ts';
import { createUserStatus } from './accounts/user-status.ts';
import { createApiKeyCreator } from './api-keys/create.ts';
import { createApiKeys } from './api-keys/manage.ts';
import type { Logger } from './kernel/log.ts';
import { createMetrics } from './metrics/metrics.ts';
import { alertServices } from './services/alerts.ts';
import { appServices } from './services/apps.ts';
import { openCounting } from './services/counting.ts';
import { lastUses } from './services/last-uses.ts';
import { leakReport } from './services/leaks.ts';
import { limitServices } from './services/limits.ts';
import { oauthServices } from './services/oauth.ts';
import { organizationServices } from './services/organizations.ts';
import { openSigningKeys } from './services/signing-keys.ts';
import { openStores } from './services/stores.ts';
import { sweeping } from './services/sweep.ts';
import { webhookServices } from './services/webhooks.ts';
import { openWorld } from './services/world.ts';

/**
 * The outside world, opened, and the functions that the server, the command line and the tests share. With the files of
 * services/, of which each puts together a part, the only place that knows which adapter stands behind which port.
 */
export async function openServices(config: Config, logger: Logger) {
  const database: Database = await openDatabase({
    databaseUrl: config.databaseUrl,
    poolSize: config.databasePoolSize,
    dataDir: config.dataDir,
    logger,
  });
  try {
    return await assemble(config, logger, database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

export type Services = Awaited<ReturnType<typeof openServices>>;

async function assemble(config: Config, logger: Logger, database: Database) {
  const counting = openCounting(config, logger);
  const metrics = createMetrics({ isDegraded: () => counting.health() === 'degraded' });
  const world = openWorld(config, logger, database, metrics);
  const { clock, transaction, audit, background } = world;
  const stores = openStores(world);
  const { apiKeys, users, sessionStore, endGrants } = stores;

  const signing = await openSigningKeys(world, stores);
  const limits = limitServices(world, stores, counting);
  const uses = lastUses(world, stores);
  const alerts = alertServices(world, stores);
  const webhooks = webhookServices(world, stores, alerts);
  const createApiKey = createApiKeyCreator({ apiKeys, transaction, audit, clock });
  const flushUses = async () => {
    await uses.grantUses.flush();
    await uses.keyUses.flush();
    await uses.secretUses.flush();
    await limits.usageMeter.flush();
    await uses.sessionUses.flush();
    await alerts.outsideUses.flush();
  };
  const closing: (() => Promise<void>)[] = [];

  return {
    ...world,
    ...stores,
    ...signing,
    ...limits,
    ...uses,
    ...alerts,
    ...webhooks,
    ...oauthServices(world, stores),
    ...appServices(world, stores),
    ...organizationServices(world, stores, limits),
    userStatus: createUserStatus({
      users,
      endSessionsOf: sessionStore.endAll,
      endGrants,
      transaction,
      audit,
    }),
    createApiKey,
    keys: createApiKeys({ apiKeys, createApiKey, transaction, audit, clock }),
    reportLeak: leakReport(world, stores, { createApiKey, raiseAlert: alerts.raiseAlert }),
    /** Opened by whoever remembers proofs of credentials: the server, not the commands. */
    openChangeFeed: () => {
      const feed = database.openFeed();
      closing.push(feed.close);
      return feed;
    },
    /** Aborted when this process was told to stop. */
    stopping: new AbortController(),
    flushUses,
    /** Clears what is past its time; ends early when told to stop. */
    sweep: sweeping(world, stores, { ...limits, ...webhooks }),
    close: async () => {
      await background.drained();
      await flushUses();
      for (const closeIt of closing) await closeIt();
      counting.close();
      await database.close();
    },
  };
}
