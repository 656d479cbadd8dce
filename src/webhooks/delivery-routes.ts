import { z } from 'zod';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { isId } from '../kernel/ids.ts';
import { idOf, timestamp } from '../kernel/schemas.ts';
import { type Attempt, DELIVERY_STATUSES, type Delivery } from './delivery.ts';
import type { Webhooks } from './manage.ts';

const response = z.object({
  status: z.int().nullable().meta({ description: 'Null where there was no answer: `error` says why.' }),
  body: z.string().nullable().meta({ description: 'Its first 1,000 bytes.' }),
  error: z.string().nullable(),
  durationMs: z.int(),
  at: timestamp,
});

const object = z
  .object({
    object: z.literal('webhook_delivery'),
    id: idOf('dlv'),
    webhookId: idOf('wh'),
    eventId: idOf('evt'),
    eventType: z.string(),
    redeliveryOf: idOf('dlv').nullable(),
    status: z.enum(DELIVERY_STATUSES),
    attemptCount: z.int(),
    nextAttemptAt: timestamp.nullable(),
    request: z.object({
      url: z.string().nullable(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
    response: response.nullable().meta({ description: 'To the newest attempt; null before the first.' }),
    createdAt: timestamp,
    completedAt: timestamp.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

const withAttempts = object
  .extend({
    attempts: z
      .array(response.extend({ url: z.string() }))
      .meta({ description: 'The oldest first; of bodies before the newest the first 100 characters.' }),
  })
  .meta({ id: 'WebhookDeliveryWithAttempts' });

export type DeliveryObject = z.output<typeof object>;
export type DeliveryWithAttemptsObject = z.output<typeof withAttempts>;

const path = '/v1/webhooks/:id/deliveries';
const params = z.strictObject({ id: idOf('wh') });
const deliveryParams = params.extend({ deliveryId: idOf('dlv') });

/** What was sent to a webhook, what it answered, and sending it again. */
export const deliveryRoutes = ({ manageWebhooks }: { manageWebhooks: Webhooks }): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/webhooks/:id/test',
    scope: 'webhooks:write',
    summary: 'Send an event of the type webhook.test',
    params,
    answer: object,
    status: 202,
    handle: async ({ principal, ip, params: { id } }) =>
      present(await manageWebhooks.test({ principal, ip }, id)),
  }),
  defineRoute({
    method: 'GET',
    path,
    scope: 'webhooks:read',
    summary: "List a webhook's deliveries",
    params,
    query: pageQuery((value) => (isId('dlv', value) ? value : undefined)),
    answer: listSchema(object),
    status: 200,
    handle: async ({ principal, params: { id }, query: { limit, cursor } }) => {
      const page = { limit: limit + 1, after: cursor };
      return listOf(await manageWebhooks.listDeliveries(principal, id, page), limit, (d) => d.id, present);
    },
  }),
  defineRoute({
    method: 'GET',
    path: `${path}/:deliveryId`,
    scope: 'webhooks:read',
    summary: 'Read a delivery, with every attempt',
    params: deliveryParams,
    answer: withAttempts,
    status: 200,
    handle: async ({ principal, params: { id, deliveryId } }) => {
      const delivery = await manageWebhooks.findDelivery(principal, id, deliveryId);
      const attempts = delivery.attempts.map((attempt) => ({ url: attempt.url, ...presentAnswer(attempt) }));
      return { ...present(delivery), attempts };
    },
  }),
  defineRoute({
    method: 'POST',
    path: `${path}/:deliveryId/redeliver`,
    scope: 'webhooks:write',
    summary: 'Send the same event again',
    params: deliveryParams,
    answer: object,
    status: 202,
    handle: async ({ principal, ip, params: { id, deliveryId } }) =>
      present(await manageWebhooks.redeliver({ principal, ip }, id, deliveryId)),
  }),
];

const presentAnswer = ({ at, status, body, error, durationMs }: Attempt): z.input<typeof response> => ({
  status,
  body,
  error,
  durationMs,
  at,
});

function present(delivery: Delivery): z.input<typeof object> {
  const last = delivery.attempts.at(-1);
  return {
    object: 'webhook_delivery',
    id: delivery.id,
    webhookId: delivery.webhookId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    redeliveryOf: delivery.redeliveryOf ?? null,
    status: delivery.status,
    attemptCount: delivery.attemptCount,
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    request: { url: last?.url ?? null, headers: last?.headers ?? {}, body: delivery.body },
    response: last ? presentAnswer(last) : null,
    createdAt: delivery.createdAt.toISOString(),
    completedAt: delivery.completedAt?.toISOString() ?? null,
  };
}
