import type { RaiseAlert } from '../alerts/raise.ts';
import type { CreateApiKey } from '../api-keys/create.ts';
import { createLeakedKeys } from '../api-keys/leaked.ts';
import {
  createLeakedInitialTokens,
  createLeakedRegistrationTokens,
} from '../apps/leaked-registration-tokens.ts';
import { createLeakedAppSecrets } from '../apps/leaked-secret.ts';
import { createLeakedRefreshTokens } from '../oauth/leaked-token.ts';
import { createLeakReport, type ReportLeak } from '../secret-scanning/report.ts';
import { createLeakedWebhookSecrets } from '../webhooks/leaked-secret.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** What is done with a secret that was found in public: each kind by the feature whose secret it is. */
export const leakReport = (
  { clock, transaction, audit }: Foundation,
  { apiKeys, apps, unownedApps, records, grants, webhooks, organizations, alerts }: Stores,
  { createApiKey, raiseAlert }: { createApiKey: CreateApiKey; raiseAlert: RaiseAlert },
): ReportLeak =>
  createLeakReport({
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
      createLeakedRegistrationTokens({ replaceToken: unownedApps.replaceToken, audit }),
      createLeakedInitialTokens({ dropToken: records.dropInitialAccessToken, audit }),
    ],
    policyOf: async (organizationId) => (await organizations.find(organizationId))?.leakedSecrets ?? 'revoke',
    raise: raiseAlert,
    alerts,
    transaction,
  });
