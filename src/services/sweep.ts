import { createSweep, type Leftovers, type Sweep } from '../kernel/sweeping.ts';
import type { Disable } from '../webhooks/conclude.ts';
import { RETRY_FOR_SECONDS } from '../webhooks/retry.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

const ALERTS_KEPT_DAYS = 400;
/** Rows of a statement: a few milliseconds of the database, and of the embedded one less than a page takes. */
const MOST = 1_000;
/** Less than the time between two turns. */
const BUDGET_MS = 40_000;

/** Clears what is past its time, of every feature. */
export function sweeping(
  { config, logger }: Pick<Foundation, 'config' | 'logger'>,
  stores: Stores,
  { sweepUsage, disableWebhook }: { sweepUsage(): Promise<void>; disableWebhook: Disable },
): Sweep {
  const { records, deliveryUpkeep } = stores;
  const leftovers: Leftovers[] = [
    // First: it is what bounds the queue.
    {
      of: 'webhooks that fell behind',
      clear: all(async () => {
        for (const webhook of await deliveryUpkeep.overflowing()) await disableWebhook(webhook, 'backlog');
      }),
    },
    { of: 'OAuth records', clear: records.sweep },
    { of: 'answers of refreshes', clear: (most) => records.forgetAnswers(config.refreshGraceSeconds, most) },
    { of: 'sessions', clear: stores.sessionStore.sweep },
    { of: 'challenges', clear: stores.secondFactorStore.sweep },
    { of: 'revoked tokens', clear: stores.revokedTokens.sweep },
    { of: 'mailed links', clear: stores.users.sweepEmailTokens },
    { of: 'invitations', clear: stores.invitations.sweep },
    { of: 'apps of nobody', clear: stores.unownedApps.sweep },
    { of: 'usage counts', clear: all(sweepUsage) },
    { of: 'deliveries', clear: (most) => deliveryUpkeep.expire(RETRY_FOR_SECONDS, most) },
    { of: 'webhook events', clear: deliveryUpkeep.forget },
    { of: 'alerts', clear: (most) => stores.alerts.forget(ALERTS_KEPT_DAYS, most) },
  ];
  return createSweep(leftovers, { logger, most: MOST, budgetMs: BUDGET_MS });
}

/** For work that sees by itself to its bounds and to its end. */
const all = (work: () => Promise<void>) => async (): Promise<number> => {
  await work();
  return 0;
};
