import type { RecordAudit } from '../audit/event.ts';
import type { Attempt, Claimed, DeliveryQueue, Outcome } from './delivery.ts';
import type { DisabledReason, Webhook, WebhookStore } from './webhook.ts';

export type DisableDeps = {
  webhooks: Pick<WebhookStore, 'disable'>;
  /** Tells the owners. Joins the open transaction. */
  tell(
    webhook: Pick<Webhook, 'id' | 'organizationId' | 'environment' | 'url'>,
    reason: DisabledReason,
  ): Promise<void>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  count(reason: DisabledReason): void;
};

export type Disable = (
  webhook: Pick<Webhook, 'id' | 'organizationId' | 'environment' | 'url'>,
  reason: DisabledReason,
) => Promise<void>;

/** Stops sending to a webhook because of how its receiver behaves, once however many deliveries say so. */
export const createDisable =
  ({ webhooks, tell, transaction, audit, count }: DisableDeps): Disable =>
  (webhook, reason) =>
    transaction(async () => {
      if (!(await webhooks.disable(webhook.id, reason))) return;
      await audit({
        type: 'webhook.disabled',
        organizationId: webhook.organizationId,
        environment: webhook.environment,
        actor: { type: 'system' },
        targetId: webhook.id,
        data: { reason, url: webhook.url },
      });
      await tell(webhook, reason);
      count(reason);
    });

/** Writes an attempt down together with what follows from it; false when it was no longer this worker's to write. */
export const createConclude =
  (deps: {
    queue: Pick<DeliveryQueue, 'complete'>;
    disable: Disable;
    transaction<T>(work: () => Promise<T>): Promise<T>;
  }) =>
  (worker: string, { id, webhook }: Claimed, attempt: Attempt, outcome: Outcome): Promise<boolean> =>
    deps.transaction(async () => {
      const isOurs = await deps.queue.complete(worker, id, attempt, outcome);
      if (isOurs && outcome.disable) await deps.disable(webhook, outcome.disable);
      return isOurs;
    });
