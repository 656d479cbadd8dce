import { createAlertMails } from '../../adapters/database/alert-mails.ts';
import { createAlertReads } from '../../adapters/database/alert-reads.ts';
import { createAlertStore } from '../../adapters/database/alerts.ts';
import { createApiKeyStore } from '../../adapters/database/api-keys.ts';
import { createAppStore } from '../../adapters/database/apps.ts';
import { createAuditLogReader } from '../../adapters/database/audit-log.ts';
import { createConnectedAppStore } from '../../adapters/database/connected-apps.ts';
import { createGrantEnding } from '../../adapters/database/end-grants.ts';
import { createGrantStore } from '../../adapters/database/grants.ts';
import { createInvitationStore } from '../../adapters/database/invitations.ts';
import { createNames } from '../../adapters/database/names.ts';
import { createRecordStore } from '../../adapters/database/oauth-records.ts';
import { createOrganizationStore } from '../../adapters/database/organizations.ts';
import { createMinuteReader } from '../../adapters/database/recorded-minutes.ts';
import { createResourceStores } from '../../adapters/database/resources.ts';
import { createRevokedTokens } from '../../adapters/database/revoked-tokens.ts';
import { createSecondFactorStore } from '../../adapters/database/second-factors.ts';
import { createSessionStore } from '../../adapters/database/sessions.ts';
import { createSigningKeyStore } from '../../adapters/database/signing-keys.ts';
import { createStandings } from '../../adapters/database/standings.ts';
import { createUnownedAppStore } from '../../adapters/database/unowned-apps.ts';
import { createUsageStore } from '../../adapters/database/usage.ts';
import { createUsageCleaning } from '../../adapters/database/usage-cleaning.ts';
import { createCallerReports, createUsageReports } from '../../adapters/database/usage-reports.ts';
import { createUserStore } from '../../adapters/database/users.ts';
import { createDeliveryStore, createDeliveryUpkeep } from '../../adapters/database/webhook-deliveries.ts';
import { createDeliveryQueue } from '../../adapters/database/webhook-queue.ts';
import { createWebhookStore } from '../../adapters/database/webhooks.ts';
import type { Foundation } from './foundation.ts';

export type Stores = ReturnType<typeof openStores>;

/** What the database keeps, each under the name by which its features ask for it. */
export const openStores = ({ database, sealer }: Pick<Foundation, 'database' | 'sealer'>) => ({
  users: createUserStore(database),
  sessionStore: createSessionStore(database, sealer),
  secondFactorStore: createSecondFactorStore(database),
  organizations: createOrganizationStore(database),
  invitations: createInvitationStore(database),
  namesOf: createNames(database),
  apiKeys: createApiKeyStore(database),
  apps: createAppStore(database),
  unownedApps: createUnownedAppStore(database),
  records: createRecordStore(database, sealer),
  grants: createGrantStore(database),
  endGrants: createGrantEnding(database),
  connectedApps: createConnectedAppStore(database),
  revokedTokens: createRevokedTokens(database),
  standings: createStandings(database),
  signingKeyStore: createSigningKeyStore(database, sealer),
  resources: createResourceStores(database),
  auditLog: createAuditLogReader(database),
  usage: createUsageStore(database),
  usageCleaning: createUsageCleaning(database),
  usageReports: createUsageReports(database),
  callers: createCallerReports(database),
  readMinutes: createMinuteReader(database),
  webhooks: createWebhookStore(database, sealer),
  deliveries: createDeliveryStore(database),
  deliveryQueue: createDeliveryQueue(database, sealer),
  deliveryUpkeep: createDeliveryUpkeep(database),
  alerts: createAlertStore(database),
  alertMails: createAlertMails(database),
  alertReads: createAlertReads(database),
});
