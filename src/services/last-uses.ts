import { createLastUses } from '../kernel/last-uses.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** When each credential was last used: noted in memory, and written now and then. */
export const lastUses = (
  { clock, logger }: Foundation,
  { apiKeys, apps, sessionStore, connectedApps }: Stores,
) => ({
  keyUses: createLastUses<{ ip: string }>({ of: 'API keys', record: apiKeys.recordUses, clock, logger }),
  secretUses: createLastUses<object>({ of: 'client secrets', record: apps.recordSecretUses, clock, logger }),
  sessionUses: createLastUses<{ ip: string }>({
    of: 'sessions',
    record: sessionStore.recordSeen,
    clock,
    logger,
  }),
  grantUses: createLastUses<object>({ of: 'grants', record: connectedApps.recordUses, clock, logger }),
});
