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
import { openFoundation } from './services/foundation.ts';
import { lastUses } from './services/last-uses.ts';
import { leakReport } from './services/leaks.ts';
import { limitServices } from './services/limits.ts';
import { oauthServices } from './services/oauth.ts';
import { organizationServices } from './services/organizations.ts';
import { openSigningKeys } from './services/signing-keys.ts';
import { openStores } from './services/stores.ts';
import { sweeping } from './services/sweep.ts';
import { webhookServices } from './services/webhooks.ts';

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
  const foundation = openFoundation(config, logger, database, metrics);
  const { clock, transaction, audit, background } = foundation;
  const stores = openStores(foundation);
  const { apiKeys, users, sessionStore, endGrants } = stores;

  const signing = await openSigningKeys(foundation, stores);
  const limits = limitServices(foundation, stores, counting);
  const uses = lastUses(foundation, stores);
  const alerts = alertServices(foundation, stores);
  const webhooks = webhookServices(foundation, stores, alerts);
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
    ...foundation,
    ...stores,
    ...signing,
    ...limits,
    ...uses,
    ...alerts,
    ...webhooks,
    ...oauthServices(foundation, stores),
    ...appServices(foundation, stores),
    ...organizationServices(foundation, stores, limits),
    userStatus: createUserStatus({
      users,
      endSessionsOf: sessionStore.endAll,
      endGrants,
      transaction,
      audit,
    }),
    createApiKey,
    manageApiKeys: createApiKeys({ apiKeys, createApiKey, transaction, audit, clock }),
    reportLeak: leakReport(foundation, stores, { createApiKey, raiseAlert: alerts.raiseAlert }),
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
    sweep: sweeping(foundation, stores, { ...limits, ...webhooks }),
    close: async () => {
      await background.drained();
      await flushUses();
      for (const closeIt of closing) await closeIt();
      counting.close();
      await database.close();
    },
  };
}
