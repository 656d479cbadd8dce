import { z } from 'zod';
import { EVENT_PATTERNS } from '../../config/webhook-events.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { given } from '../kernel/given.ts';
import { isId } from '../kernel/ids.ts';
import { idOf, text, timestamp } from '../kernel/schemas.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import type { Webhooks } from './manage.ts';
import { DISABLED_REASONS, type Webhook } from './webhook.ts';

const DEFAULT_GRACE_SECONDS = 86_400;
const LONGEST_GRACE_SECONDS = 30 * 86_400;

const object = z
  .object({
    object: z.literal('webhook'),
    id: idOf('wh'),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string().nullable(),
    environment: z.enum(['live', 'test']),
    status: z.enum(['active', 'disabled']),
    disabledReason: z.enum(DISABLED_REASONS).nullable(),
    previousSecretExpiresAt: timestamp
      .nullable()
      .meta({ description: 'Until then each request is signed with the earlier secret, too.' }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Webhook' });

const withSecret = object
  .extend({
    secret: z.string().meta({ description: 'Shown in this answer and never again.' }),
  })
  .meta({ id: 'NewWebhook' });

export type WebhookObject = z.output<typeof object>;

const params = z.strictObject({ id: idOf('wh') });

const url = text(1, 2_000).meta({ description: 'https; on loopback, in development, http too.' });
const events = z
  .array(z.string().refine((value) => EVENT_PATTERNS.includes(value), 'is no event that there is'))
  .min(1)
  .max(EVENT_PATTERNS.length)
  .refine((list) => new Set(list).size === list.length, 'must name each event once')
  .meta({ items: { type: 'string', enum: EVENT_PATTERNS } });
const description = text(1, 500).nullable();

/** `/v1/webhooks`: where events are sent to, and what became of them. */
export function webhookRoutes({ manageWebhooks }: { manageWebhooks: Webhooks }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/webhooks',
      scope: 'webhooks:read',
      summary: 'List webhooks',
      query: pageQuery((value) => (isId('wh', value) ? value : undefined)),
      answer: listSchema(object),
      status: 200,
      handle: async ({ principal, query: { limit, cursor } }) => {
        const found = await manageWebhooks.list(principal, { limit: limit + 1, after: cursor });
        return listOf(found, limit, ({ id }) => id, present);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/webhooks',
      scope: 'webhooks:write',
      summary: 'Create a webhook',
      body: z.strictObject({ url, events, description: description.default(null) }),
      answer: withSecret,
      status: 201,
      handle: async ({ principal, ip, body }) => {
        const { webhook, secret } = await manageWebhooks.create({ principal, ip }, body);
        return { ...present(webhook), secret: secret.reveal() };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/webhooks/:id',
      scope: 'webhooks:read',
      summary: 'Read a webhook',
      params,
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id } }) => present(await manageWebhooks.find(principal, id)),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/webhooks/:id',
      scope: 'webhooks:write',
      summary: 'Change, disable or enable a webhook',
      params,
      body: z.strictObject({ url, events, description, status: z.enum(['active', 'disabled']) }).partial(),
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id }, ip, body }) =>
        present(await manageWebhooks.change({ principal, ip }, id, given(body))),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/webhooks/:id',
      scope: 'webhooks:write',
      summary: 'Delete a webhook, with its deliveries',
      params,
      status: 204,
      handle: async ({ principal, params: { id }, ip }) => {
        await manageWebhooks.remove({ principal, ip }, id);
        return undefined;
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/webhooks/:id/rotate-secret',
      scope: 'webhooks:write',
      summary: 'Give a webhook a new secret; for a while both sign',
      params,
      body: z.strictObject({
        gracePeriodSeconds: z.int().min(0).max(LONGEST_GRACE_SECONDS).default(DEFAULT_GRACE_SECONDS),
      }),
      bodyOptional: true,
      answer: withSecret,
      status: 200,
      handle: async ({ principal, params: { id }, ip, body: { gracePeriodSeconds } }) => {
        const { webhook, secret } = await manageWebhooks.rotateSecret(
          { principal, ip },
          id,
          gracePeriodSeconds,
        );
        return { ...present(webhook), secret: secret.reveal() };
      },
    }),
    ...deliveryRoutes({ manageWebhooks }),
  ];
}

/** A webhook as `/v1` and the console show it. */
const present = (webhook: Webhook): z.input<typeof object> => ({
  object: 'webhook',
  id: webhook.id,
  url: webhook.url,
  events: [...webhook.events],
  description: webhook.description,
  environment: webhook.environment,
  status: webhook.disabledReason === undefined ? 'active' : 'disabled',
  disabledReason: webhook.disabledReason ?? null,
  previousSecretExpiresAt: webhook.previousSecretUntil?.toISOString() ?? null,
  createdAt: webhook.createdAt.toISOString(),
  updatedAt: webhook.updatedAt.toISOString(),
});
