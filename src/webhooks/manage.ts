import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { PublicUrlRules } from '../kernel/public-url.ts';
import { readPublicUrl } from '../kernel/public-url.ts';
import type { Secret } from '../kernel/secret.ts';
import { actorOf, type By, type Principal } from '../principals/principal.ts';
import type { Delivery, DeliveryStore } from './delivery.ts';
import { envelop } from './envelope.ts';
import { issueWebhookSecret } from './signing.ts';
import { type Webhook, type WebhookStore, webhookOwner } from './webhook.ts';

/** Of an organization, over both environments. */
const MOST_WEBHOOKS = 20;

export type ManageDeps = {
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
  urlRules: PublicUrlRules;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
  countQueued(deliveries: number): void;
};

type Fields = Pick<Webhook, 'url' | 'events' | 'description'>;

export type Webhooks = ReturnType<typeof createWebhooks>;

/**
 * Everything that is done with webhooks, for the API and the console alike; each change and its audit event are one
 * transaction. A webhook belongs to the environment of the credential that made it, and is seen by that environment's
 * alone. The route's scope is checked before.
 */
export function createWebhooks(deps: ManageDeps) {
  const { webhooks, deliveries, urlRules, transaction, audit, clock, countQueued } = deps;
  const record = (
    type: 'webhook.created' | 'webhook.updated' | 'webhook.deleted' | 'webhook.secret_rotated',
    { principal, ip }: By,
    targetId: string,
    data: Record<string, unknown>,
  ) =>
    audit({
      type,
      organizationId: principal.organizationId,
      environment: principal.environment,
      actor: actorOf(principal),
      targetId,
      ip,
      data,
    });

  const lock = async ({ principal }: By, id: string): Promise<Webhook> => {
    const webhook = await webhooks.findForChange(webhookOwner(principal), id);
    if (!webhook) throw notFound();
    return webhook;
  };

  const find = async (principal: Principal, id: string): Promise<Webhook> => {
    const webhook = await webhooks.find(webhookOwner(principal), id);
    if (!webhook) throw notFound();
    return webhook;
  };

  const refuseTarget = (url: string): void => {
    const message = targetFault(url, urlRules);
    if (message === undefined) return;
    throw new AppError('validation_failed', 'The request has a fault.', {
      errors: [{ path: 'url', message }],
    });
  };

  return {
    list: (principal: Principal, page: { limit: number; after: string | undefined }) =>
      webhooks.list(webhookOwner(principal), page),
    find,

    create: (by: By, fields: Fields): Promise<{ webhook: Webhook; secret: Secret }> =>
      transaction(async () => {
        refuseTarget(fields.url);
        const { organizationId } = by.principal;
        if ((await webhooks.countOf(organizationId)) >= MOST_WEBHOOKS) {
          throw new AppError(
            'conflict',
            `An organization may have ${MOST_WEBHOOKS} webhooks: delete one first.`,
            { limit: MOST_WEBHOOKS },
          );
        }
        const now = clock();
        const webhook: Webhook = {
          ...webhookOwner(by.principal),
          ...fields,
          id: newId('wh', now),
          disabledReason: undefined,
          previousSecretUntil: undefined,
          createdAt: now,
          updatedAt: now,
        };
        const secret = issueWebhookSecret();
        await webhooks.insert(webhook, secret);
        await record('webhook.created', by, webhook.id, { url: webhook.url, events: webhook.events });
        return { webhook, secret };
      }),

    /** `status`: disabled stops sending; active begins again, also after a receiver's 410. */
    change: (
      by: By,
      id: string,
      { status, ...change }: Partial<Fields> & { status?: 'active' | 'disabled' | undefined },
    ): Promise<Webhook> =>
      transaction(async () => {
        const webhook = await lock(by, id);
        if (change.url !== undefined) refuseTarget(change.url);
        const fields = [...Object.keys(change), ...(status === undefined ? [] : ['status'])];
        if (fields.length === 0) return webhook;
        const wanted = {
          ...change,
          ...(status === 'active' ? { disabledReason: undefined } : {}),
          ...(status === 'disabled' ? { disabledReason: webhook.disabledReason ?? ('owner' as const) } : {}),
        };
        const after = { ...webhook, ...wanted, updatedAt: clock() };
        await webhooks.update(id, wanted, after.updatedAt);
        await record('webhook.updated', by, id, { fields });
        return after;
      }),

    /** Nothing more is sent, and its deliveries are gone with it. */
    remove: (by: By, id: string): Promise<void> =>
      transaction(async () => {
        const webhook = await webhooks.findForDeletion(webhookOwner(by.principal), id);
        if (!webhook) throw notFound();
        await webhooks.delete(id);
        await record('webhook.deleted', by, id, { url: webhook.url });
      }),

    /** A new secret; the old one signs beside it for `graceSeconds`, so that the receiver is never without one it knows. */
    rotateSecret: (by: By, id: string, graceSeconds: number): Promise<{ webhook: Webhook; secret: Secret }> =>
      transaction(async () => {
        const webhook = await lock(by, id);
        const secret = issueWebhookSecret();
        const previousSecretUntil = await webhooks.replaceSecret(id, secret, graceSeconds);
        await record('webhook.secret_rotated', by, id, { graceSeconds });
        return { webhook: { ...webhook, previousSecretUntil, updatedAt: clock() }, secret };
      }),

    /** Queues an event of the type `webhook.test`. */
    test: (by: By, id: string): Promise<Delivery> =>
      transaction(async () => {
        const webhook = refuseDisabled(await lock(by, id));
        const { organizationId, environment } = webhook;
        const data = { object: 'webhook', id, organizationId, environment, actor: actorOf(by.principal) };
        const delivery = await deliveries.queue(webhook, envelop('webhook.test', data, clock()));
        countQueued(1);
        return delivery;
      }),

    listDeliveries: async (
      principal: Principal,
      id: string,
      page: { limit: number; after: string | undefined },
    ): Promise<Delivery[]> => {
      await find(principal, id);
      return deliveries.list(id, page);
    },

    findDelivery: async (principal: Principal, id: string, deliveryId: string): Promise<Delivery> => {
      await find(principal, id);
      const delivery = await deliveries.find(id, deliveryId);
      if (!delivery) throw notFound();
      return delivery;
    },

    /** Queues the same event again, as a delivery of its own. */
    redeliver: (by: By, id: string, deliveryId: string): Promise<Delivery> =>
      transaction(async () => {
        const webhook = await lock(by, id);
        if (!(await deliveries.find(id, deliveryId))) throw notFound();
        refuseDisabled(webhook);
        const delivery = await deliveries.queueAgain(id, deliveryId);
        if (!delivery) throw notFound();
        countQueued(1);
        return delivery;
      }),
  };
}

/** What is wrong with a webhook's URL, as far as that can be told before anything connects. */
function targetFault(target: string, rules: PublicUrlRules): string | undefined {
  // A parser drops some of them: what is shown in logs, mails and pages would not be what is sent to.
  if (/[\s\p{C}]/u.test(target)) return 'The URL must not hold spaces or control characters.';
  const url = readPublicUrl(target, rules);
  if ('fault' in url) return url.fault;
  if (url.hash !== '') return 'The URL must not hold a fragment.';
  const isLoopback = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'http:' && !isLoopback ? 'Only https URLs are sent to.' : undefined;
}

function refuseDisabled(webhook: Webhook): Webhook {
  if (webhook.disabledReason === undefined) return webhook;
  throw new AppError('conflict', 'This webhook is disabled: set its status to active first.');
}
