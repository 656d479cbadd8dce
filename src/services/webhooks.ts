import type { RaiseAlert } from '../alerts/raise.ts';
import { createConclude, createDisable } from '../webhooks/conclude.ts';
import { createWebhooks } from '../webhooks/manage.ts';
import { createSend } from '../webhooks/send.ts';
import { startDeliveryWorker } from '../webhooks/worker.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** Webhooks: managed, sent by the server, and disabled where nothing arrives, which raises an alert. */
export function webhookServices(
  { logger, metrics, clock, transaction, audit, urlRules, safeFetch }: Foundation,
  { webhooks, deliveries, deliveryQueue: queue }: Stores,
  { raiseAlert }: { raiseAlert: RaiseAlert },
) {
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
    count: metrics.deliveries.disabled,
  });
  return {
    disableWebhook,
    manageWebhooks: createWebhooks({
      webhooks,
      deliveries,
      urlRules,
      transaction,
      audit,
      clock,
      countQueued: metrics.deliveries.queued,
    }),
    /** Begins to send what is queued for webhooks: the server does, not the commands. */
    startDeliveries: () =>
      startDeliveryWorker({
        queue,
        send: createSend({ safeFetch, clock, logger }),
        conclude: createConclude({ queue, disable: disableWebhook, transaction }),
        metrics: metrics.deliveries,
        clock,
        random: Math.random,
        logger,
      }),
  };
}
