import type { Disable } from '../webhooks/conclude.ts';
import { RETRY_FOR_SECONDS } from '../webhooks/retry.ts';
import type { Stores } from './stores.ts';
import type { World } from './world.ts';

const ALERTS_KEPT_DAYS = 400;

/** Deletes what is past its time, of every feature. */
export const createSweep =
  (
    { config }: Pick<World, 'config'>,
    stores: Stores,
    { sweepUsage, disableWebhook }: { sweepUsage(): Promise<void>; disableWebhook: Disable },
  ) =>
  async (): Promise<void> => {
    const { records, deliveryUpkeep } = stores;
    await records.sweep();
    await stores.sessionStore.sweep();
    await stores.secondFactorStore.sweep();
    await records.forgetAnswers(config.refreshGraceSeconds);
    await stores.revokedTokens.sweep();
    await stores.users.sweepEmailTokens();
    await stores.invitations.sweep();
    await stores.unownedApps.sweep();
    await sweepUsage();
    await deliveryUpkeep.expire(RETRY_FOR_SECONDS);
    await deliveryUpkeep.forget();
    await stores.alerts.forget(ALERTS_KEPT_DAYS);
    for (const webhook of await deliveryUpkeep.overflowing()) await disableWebhook(webhook, 'backlog');
  };
