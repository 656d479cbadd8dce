import { createAlertReads } from '../adapters/database/alert-reads.ts';
import { createAlertStore } from '../adapters/database/alerts.ts';
import { createApiKeyStore } from '../adapters/database/api-keys.ts';
import { createAppStore } from '../adapters/database/apps.ts';
import { createAuditLog } from '../adapters/database/audit.ts';
import { createAuditLogReader } from '../adapters/database/audit-log.ts';
import { createConnectedAppStore } from '../adapters/database/connected-apps.ts';
import { type Database, openDatabase } from '../adapters/database/database.ts';
import { createGrantEnding } from '../adapters/database/end-grants.ts';
import { createGrantAdapter, createGrantStore } from '../adapters/database/grants.ts';
import { createInvitationStore } from '../adapters/database/invitations.ts';
import { createNames } from '../adapters/database/names.ts';
import { createRecordAdapter, createRecordStore } from '../adapters/database/oauth-records.ts';
import { createOrganizationStore } from '../adapters/database/organizations.ts';
import { createMinuteReader } from '../adapters/database/recorded-minutes.ts';
import { createResourceStores } from '../adapters/database/resources.ts';
import { createRevokedTokens } from '../adapters/database/revoked-tokens.ts';
import { createSecondFactorStore } from '../adapters/database/second-factors.ts';
import { createSessionStore } from '../adapters/database/sessions.ts';
import { createSigningKeyStore } from '../adapters/database/signing-keys.ts';
import { createStandings } from '../adapters/database/standings.ts';
import { grantsWithBasis, readWithBasis } from '../adapters/database/token-basis.ts';
import { createUnownedAppStore } from '../adapters/database/unowned-apps.ts';
import { createUsageStore } from '../adapters/database/usage.ts';
import { createUsageCleaning } from '../adapters/database/usage-cleaning.ts';
import { createUsageReports } from '../adapters/database/usage-reports.ts';
import { createUserStore } from '../adapters/database/users.ts';
import { createDeliveryStore, createDeliveryUpkeep } from '../adapters/database/webhook-deliveries.ts';
import { createOutbox } from '../adapters/database/webhook-outbox.ts';
import { createDeliveryQueue } from '../adapters/database/webhook-queue.ts';
import { createWebhookStore } from '../adapters/database/webhooks.ts';
import { createSafeFetch } from '../adapters/http/safe-fetch.ts';
import { createMailer } from '../adapters/mail/mailer.ts';
import { createMemoryAttemptLimit } from '../adapters/memory/attempts.ts';

import { createRedisAttemptLimits } from '../adapters/redis/attempts.ts';
import { createRedisBuckets } from '../adapters/redis/buckets.ts';
import { connectRedis } from '../adapters/redis/connect.ts';
import { developmentSecretKey } from '../adapters/secret-key.ts';
import type { Config } from '../config/config.ts';
import { createUserStatus } from './accounts/user-status.ts';
import { createAlertMailing } from './alerts/mailing.ts';
import { createOutsideUses } from './alerts/outside-uses.ts';
import { createRaise } from './alerts/raise.ts';
import { startAlerts } from './alerts/service.ts';
import { createWatch } from './alerts/watch.ts';
import { createApiKeyCreator } from './api-keys/create.ts';
import { createLeakedKeys } from './api-keys/leaked.ts';
import { createApiKeys } from './api-keys/manage.ts';
import { createMetadataDocuments } from './apps/client-metadata-document.ts';
import { createLeakedAppSecrets } from './apps/leaked-secret.ts';
import { createApps } from './apps/manage.ts';
import { createAppRegistration } from './apps/register-app.ts';
import { createResourceServerMarking } from './apps/resource-servers.ts';
import { createSelfRegistration } from './apps/self-registration.ts';
import type { LimitsHealth } from './http/health.ts';
import { createBackground } from './kernel/background.ts';
import { systemClock } from './kernel/clock.ts';
import { createLastUses } from './kernel/last-uses.ts';
import type { Logger } from './kernel/log.ts';
import { createSealer } from './kernel/sealing.ts';
import { ask } from './limits/ask.ts';
import { createFallback } from './limits/fallback.ts';
import { createLimiter } from './limits/limiter.ts';
import { createMemoryBuckets } from './limits/memory-buckets.ts';
import { createLimitsOverview } from './limits/overview.ts';
import { limitsOf } from './limits/policy.ts';
import { recountDay } from './limits/recount.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createClientAdapter } from './oauth/client-adapter.ts';
import { createClientKeys } from './oauth/client-keys.ts';
import { createFamilyEnding } from './oauth/end-family.ts';
import { createKeyRing } from './oauth/key-ring.ts';
import { createLeakedRefreshTokens } from './oauth/leaked-token.ts';
import { createSigningKeys } from './oauth/signing-keys.ts';
import { createTokenBases } from './oauth/token-basis.ts';
import { createConsentWithdrawal } from './oauth/withdraw-consent.ts';
import { createOrganizationCreator } from './organizations/create-organization.ts';
import { createMembers } from './organizations/members.ts';
import { createPlanSetter } from './organizations/set-plan.ts';
import { createTellAdmins } from './organizations/tell-admins.ts';
import { createLeakReport } from './secret-scanning/report.ts';
import { createUsageMeter } from './usage/meter.ts';
import { createReplay } from './usage/replay.ts';
import { createUsageSweep } from './usage/sweep.ts';
import { createTryPlan } from './usage/try-plan.ts';
import { createConclude, createDisable } from './webhooks/conclude.ts';
import { createPublisher } from './webhooks/envelope.ts';
import { alsoTelling } from './webhooks/event.ts';
import { createLeakedWebhookSecrets } from './webhooks/leaked-secret.ts';
import { createWebhooks } from './webhooks/manage.ts';
import { RETRY_FOR_SECONDS } from './webhooks/retry.ts';
import { createSend } from './webhooks/send.ts';
import { startDeliveryWorker } from './webhooks/worker.ts';

const ALERTS_KEPT_DAYS = 400;

/**
 * The outside world, opened, and the functions that the server, the command line and the tests share. The only
 * place that knows which adapter stands behind which port.
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
  const sealer = createSealer(config.secretKey ?? developmentSecretKey(config.dataDir));
  const clock = systemClock;
  const publish = createPublisher({ outbox: createOutbox(database), clock });
  const audit = alsoTelling(createAuditLog(database), publish);
  const background = createBackground(logger);
  const counting = openCounting(config, logger);
  const metrics = createMetrics({ isDegraded: () => counting.health() === 'degraded' });
  const transaction = database.transaction;
  const users = createUserStore(database);
  const organizations = createOrganizationStore(database);
  const apps = createAppStore(database);
  const apiKeys = createApiKeyStore(database);
  const records = createRecordStore(database, sealer);
  const sessionStore = createSessionStore(database, sealer);

  const keyStore = createSigningKeyStore(database, sealer);
  const signingKeys = createSigningKeys({
    store: keyStore,
    schedule: {
      jwksCacheSeconds: config.jwksCacheSeconds,
      rotateAfterSeconds: config.signingKeyDays * 86_400,
    },
    transaction,
    audit,
  });
  const keyRing = createKeyRing(keyStore, (error) =>
    logger.warn({ err: error }, 'signing keys could not be read anew'),
  );
  await signingKeys.start();
  await keyRing.reload();
  const secondFactorStore = createSecondFactorStore(database);

  const tokenBases = createTokenBases();
  const appListeners: (() => void)[] = [];
  const changingApps = async <T>(work: () => Promise<T>): Promise<T> => {
    const changed = await transaction(work);
    for (const listener of appListeners) listener();
    return changed;
  };

  const createApiKey = createApiKeyCreator({ apiKeys, transaction, audit, clock });
  const keyUses = createLastUses<{ ip: string }>({
    of: 'API keys',
    record: apiKeys.recordUses,
    clock,
    logger,
  });
  const secretUses = createLastUses<object>({
    of: 'client secrets',
    record: apps.recordSecretUses,
    clock,
    logger,
  });
  const usage = createUsageStore(database);
  const usageMeter = createUsageMeter({ add: usage.add, clock, logger });
  const sessionUses = createLastUses<{ ip: string }>({
    of: 'sessions',
    record: sessionStore.recordSeen,
    clock,
    logger,
  });
  const sweepUsage = createUsageSweep({
    cleaning: createUsageCleaning(database),
    retention: config.usageRetentionDays,
    clock,
  });
  const connectedApps = createConnectedAppStore(database);
  const grantUses = createLastUses<object>({
    of: 'grants',
    record: connectedApps.recordUses,
    clock,
    logger,
  });
  const flushUses = async () => {
    await grantUses.flush();
    await keyUses.flush();
    await secretUses.flush();
    await usageMeter.flush();
    await sessionUses.flush();
    await outsideUses.flush();
  };
  const invitations = createInvitationStore(database);
  const endGrants = createGrantEnding(database);
  const grants = createGrantStore(database);
  const revokedTokens = createRevokedTokens(database);
  const registerApp = createAppRegistration({ apps, transaction, audit, clock });
  const sendMail = createMailer({
    smtpUrl: config.smtpUrl,
    dataDir: config.dataDir,
    from: config.mailFrom,
  });
  const { createAttemptLimit } = counting;
  const urlRules = { allowLoopback: !config.production };
  const safeFetch = createSafeFetch(urlRules);
  const unownedApps = createUnownedAppStore(database);
  const clientKeys = createClientKeys({
    safeFetch,
    clock,
    jwksUriOf: async (id) => (await apps.findRegistered(id))?.jwksUri,
  });
  const webhooks = createWebhookStore(database, sealer);
  const deliveryUpkeep = createDeliveryUpkeep(database);
  const alerts = createAlertStore(database);
  const raiseAlert = createRaise({ alerts, publish, transaction, clock });
  const outsideUses = createOutsideUses({ raise: raiseAlert, clock, logger });
  const lookForAlerts = createWatch({ reads: createAlertReads(database), raise: raiseAlert, clock, logger });
  const mailAlerts = createAlertMailing({
    alerts,
    tellAdmins: createTellAdmins({ organizations, sendMail }),
    webUrl: config.webUrl,
    logger,
  });
  const disableWebhook = createDisable({
    webhooks,
    tell: ({ id, organizationId, environment, url }, reason) =>
      raiseAlert({
        kind: 'webhook_disabled',
        organizationId,
        environment,
        subject: id,
        period: clock().toISOString(),
        data: { url, reason },
      }),
    transaction,
    audit,
  });
  const closing: (() => Promise<void>)[] = [];

  return {
    config,
    logger,
    clock,
    sealer,
    database,
    transaction,
    audit,
    background,
    users,
    organizations,
    apps,
    apiKeys,
    records,
    sessionStore,
    grants,
    revokedTokens,
    endGrants,
    /** Ends what hangs on a grant, with it: codes, refresh tokens, and every access token under it. */
    endFamily: createFamilyEnding({ deleteByGrant: records.deleteByGrant, grants, audit }),
    withdrawConsent: createConsentWithdrawal({ endGrants, transaction, audit }),
    userStatus: createUserStatus({
      users,
      endSessionsOf: sessionStore.endAll,
      endGrants,
      transaction,
      audit,
    }),
    markResourceServer: createResourceServerMarking({ apps, transaction, audit }),
    secondFactorStore,
    standings: createStandings(database),
    resources: createResourceStores(database),
    signingKeys,
    keyRing,
    /** Does what is due with the signing keys, and reads them anew, in case the news of a change was missed. */
    followSigningKeys: async () => {
      await signingKeys.advance();
      await keyRing.reload();
    },
    oauthAdapterFor: (kind: string) => {
      if (kind === 'Client') {
        return createClientAdapter({
          findApp: apps.findRegistered,
          keysAt: clientKeys.known,
          documents: config.clientIdMetadataDocuments,
        });
      }
      if (kind === 'Grant') return grantsWithBasis(createGrantAdapter(database), tokenBases);
      const records = createRecordAdapter(kind, database, sealer);
      return kind === 'AuthorizationCode' || kind === 'RefreshToken'
        ? readWithBasis(kind, records, database, tokenBases)
        : records;
    },
    clientKeys,
    selfRegistration: createSelfRegistration({ store: unownedApps, endGrants, transaction, audit, clock }),
    readMetadataDocument: createMetadataDocuments({
      safeFetch,
      clock,
      ownOrigins: [config.apiUrl, config.webUrl],
      store: unownedApps,
    }),
    sendMail,
    safeFetch,
    createAttemptLimit,
    limiter: createLimiter({
      buckets: counting.buckets,
      ...(config.redisUrl
        ? { recordedToday: (caller, capId) => usage.allowedOnDay(caller, clock(), capId) }
        : {}),
      inBackground: background.run,
    }),
    /** For a process that counts by itself: see src/limits/recount.ts. Redis keeps its counts over our restarts. */
    recountDay: async () => {
      if (config.redisUrl) return;
      await recountDay({ recorded: await usage.allAllowedOnDay(clock()), buckets: counting.buckets });
    },
    limitsOverview: createLimitsOverview({ buckets: counting.buckets, planOf: organizations.planOf }),
    limitsHealth: counting.health,
    metrics,
    createOrganization: createOrganizationCreator({ organizations, transaction, audit }),
    setPlan: createPlanSetter({ organizations, transaction, audit }),
    registerApp,
    manageApps: createApps({ apps, registerApp, endGrants, transaction: changingApps, audit, clock }),
    tokenBases,
    /** Calls the listener when this process has changed an app, before it answers. Others hear of it by the feed. */
    onAppChange: (listener: () => void) => void appListeners.push(listener),
    createApiKey,
    keys: createApiKeys({ apiKeys, createApiKey, transaction, audit, clock }),
    members: createMembers({
      hasSecondFactor: secondFactorStore.hasAny,
      webUrl: config.webUrl,
      organizations,
      invitations,
      endGrants,
      mailLimit: createAttemptLimit({ name: 'invitations', attempts: 100, windowSeconds: 3600 }),
      sendMail,
      inBackground: background.run,
      transaction,
      audit,
      clock,
    }),
    manageWebhooks: createWebhooks({
      webhooks,
      deliveries: createDeliveryStore(database),
      urlRules,
      transaction,
      audit,
      clock,
    }),
    /** Begins to send what is queued for webhooks: the server does, not the commands. */
    startDeliveries: () => {
      const queue = createDeliveryQueue(database, sealer);
      return startDeliveryWorker({
        queue,
        send: createSend({ safeFetch, clock }),
        conclude: createConclude({ queue, disable: disableWebhook, transaction }),
        clock,
        random: Math.random,
        logger,
      });
    },
    /** Newest first; the console's and nobody else's, for now. */
    listAlerts: alerts.list,
    lookForAlerts,
    mailAlerts,
    startAlerts: () => startAlerts({ look: lookForAlerts, mail: mailAlerts, logger }),
    outsideUses,
    reportLeak: createLeakReport({
      handlers: [
        createLeakedKeys({ apiKeys, createApiKey, audit, clock }),
        createLeakedAppSecrets({ apps, audit }),
        createLeakedRefreshTokens({
          ownerOf: records.ownerOfRefreshToken,
          deleteByGrant: records.deleteByGrant,
          grants,
          audit,
        }),
        createLeakedWebhookSecrets({ webhooks, audit }),
      ],
      policyOf: async (organizationId) =>
        (await organizations.find(organizationId))?.leakedSecrets ?? 'revoke',
      raise: raiseAlert,
      transaction,
    }),
    auditLog: createAuditLogReader(database),
    namesOf: createNames(database),
    keyUses,
    secretUses,
    usage,
    usageMeter,
    sessionUses,
    grantUses,
    connectedApps,
    usageReports: createUsageReports(database),
    tryPlan: createTryPlan({
      readMinutes: createMinuteReader(database),
      replayOf: (figures) => createReplay([{ limits: limitsOf(figures), counts: {} }], ask),
    }),
    flushUses,
    /** Opened by whoever remembers proofs of credentials: the server, not the commands. */
    openChangeFeed: () => {
      const feed = database.openFeed();
      closing.push(feed.close);
      return feed;
    },
    /** Deletes what is past its time. */
    sweep: async () => {
      await records.sweep();
      await sessionStore.sweep();
      await secondFactorStore.sweep();
      await records.forgetAnswers(config.refreshGraceSeconds);
      await revokedTokens.sweep();
      await users.sweepEmailTokens();
      await invitations.sweep();
      await unownedApps.sweep();
      await sweepUsage();
      await deliveryUpkeep.expire(RETRY_FOR_SECONDS);
      await deliveryUpkeep.forget();
      await alerts.forget(ALERTS_KEPT_DAYS);
      for (const webhook of await deliveryUpkeep.overflowing()) await disableWebhook(webhook, 'backlog');
    },
    close: async () => {
      await background.drained();
      await flushUses();
      for (const closeIt of closing) await closeIt();
      counting.close();
      await database.close();
    },
  };
}

const PROBE_EVERY_MS = 1_000;

/** Where requests and attempts are counted: in Redis where there is one, else in this process. */
function openCounting({ redisUrl, redisCluster: cluster }: Config, logger: Logger) {
  const local = createMemoryBuckets(Date.now);
  if (!redisUrl) {
    const health = (): LimitsHealth => 'in_process';
    return { buckets: local, createAttemptLimit: createMemoryAttemptLimit, health, close: () => {} };
  }
  const redis = connectRedis(redisUrl, { cluster, logger });
  const buckets = createFallback({
    shared: createRedisBuckets(redis),
    local,
    ping: () => redis.ping(),
    onChange: (degraded) =>
      logger.warn(degraded ? 'limits are decided in this process, at half' : 'limits are shared again'),
  });
  const probing = setInterval(() => void buckets.probe(), PROBE_EVERY_MS).unref();
  return {
    buckets,
    createAttemptLimit: createRedisAttemptLimits(redis, buckets.isDegraded),
    health: (): LimitsHealth => (buckets.isDegraded() ? 'degraded' : 'shared'),
    close: () => {
      clearInterval(probing);
      redis.disconnect();
    },
  };
}
