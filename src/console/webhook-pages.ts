import type { WebhookRow } from '../../views/console/webhooks.ts';
import type { Form } from '../http/forms.ts';
import { seeOther } from '../http/page.ts';
import type { WebhookObject } from '../webhooks/routes.ts';
import { deliveryRow } from './delivery-pages.ts';
import { attempt, type Faults } from './faults.ts';
import { type ConsolePage, param, queryOf, type Visit } from './visit.ts';
import {
  bodyOf,
  changeOf,
  EMPTY_WEBHOOK,
  eventGroups,
  valuesOfForm,
  valuesOfWebhook,
  WEBHOOK_FIELDS,
} from './webhook-form.ts';

const STORE_NOTES = [
  'Keep it where the receiver can read it, as an environment variable or in a secrets manager.',
  'Each request is signed with it (Standard Webhooks): verify webhook-signature before you believe what it says.',
  'We show it this once. Lost it? Rotate the secret: for a day both sign.',
];

/** Webhooks: list, make, look, change, test, rotate the secret, delete. */
export function webhookPages(): ConsolePage[] {
  const showForm = (visit: Visit, webhook?: WebhookObject, faults?: Faults, form?: Form) =>
    visit.render(
      'console/webhook-form',
      {
        action: visit.url(webhook ? `/webhooks/${webhook.id}/edit` : '/webhooks/new'),
        cancelUrl: visit.url(webhook ? `/webhooks/${webhook.id}` : '/webhooks'),
        environment: visit.environment,
        editing: webhook !== undefined,
        values: form ? valuesOfForm(form) : webhook ? valuesOfWebhook(webhook) : EMPTY_WEBHOOK,
        events: eventGroups(form ? form.all('event') : (webhook?.events ?? [])),
        errors: faults?.fields ?? {},
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );

  const showSecret = (visit: Visit, webhook: WebhookObject & { secret: string }, title: string) =>
    visit.render('console/secret', {
      title,
      lead: 'Copy the secret now: it is shown this once.',
      label: 'Signing secret',
      value: webhook.secret,
      variable: 'PROMPTREPORTS_WEBHOOK_SECRET',
      notes: STORE_NOTES,
      facts: [{ label: 'Sends to', value: webhook.url }],
      doneUrl: visit.url(`/webhooks/${webhook.id}`),
    });

  const showWebhook = async (visit: Visit, webhook: WebhookObject, faults?: Faults) => {
    const deliveries = await visit.call('GET /v1/webhooks/:id/deliveries', {
      params: { id: webhook.id },
      query: { cursor: queryOf(visit, 'cursor') || undefined },
    });
    const base = visit.url(`/webhooks/${webhook.id}`);
    visit.render(
      'console/webhook',
      {
        webhook: webhookRow(visit, webhook),
        deliveries: deliveries.data.map((delivery) => deliveryRow(visit, delivery)),
        nextUrl: deliveries.nextCursor ? `${base}?cursor=${deliveries.nextCursor}` : undefined,
        notice: faults?.notice,
        manage: visit.may('webhooks:write')
          ? {
              editUrl: `${base}/edit`,
              deleteUrl: `${base}/delete`,
              testAction: `${base}/test`,
              statusAction: `${base}/status`,
              rotateAction: `${base}/rotate`,
            }
          : undefined,
      },
      faults ? { status: faults.status } : {},
    );
  };

  /** A button on the webhook's page: does it, and comes back to the page with what came of it. */
  const button = (
    name: string,
    work: (visit: Visit, id: string, form: Form) => Promise<unknown>,
  ): ConsolePage => ({
    method: 'POST',
    path: `/webhooks/:id/${name}`,
    scope: 'webhooks:write',
    handle: async (visit, form) => {
      const webhook = await findWebhook(visit);
      const { faults } = await attempt([], () => work(visit, webhook.id, form));
      if (faults) return showWebhook(visit, webhook, faults);
      seeOther(visit.ctx, visit.url(`/webhooks/${webhook.id}`));
    },
  });

  return [
    {
      method: 'GET',
      path: '/webhooks',
      scope: 'webhooks:read',
      handle: async (visit) => {
        const list = await visit.call('GET /v1/webhooks', {
          query: { cursor: queryOf(visit, 'cursor') || undefined },
        });
        visit.render('console/webhooks', {
          environment: visit.environment,
          webhooks: list.data.map((webhook) => webhookRow(visit, webhook)),
          nextUrl: list.nextCursor ? visit.url(`/webhooks?cursor=${list.nextCursor}`) : undefined,
          newUrl: visit.may('webhooks:write') ? visit.url('/webhooks/new') : undefined,
        });
      },
    },
    {
      method: 'GET',
      path: '/webhooks/new',
      scope: 'webhooks:write',
      recent: true,
      handle: async (visit) => showForm(visit),
    },
    {
      method: 'POST',
      path: '/webhooks/new',
      scope: 'webhooks:write',
      recent: 'keep',
      handle: async (visit, form) => {
        const { done, faults } = await attempt(WEBHOOK_FIELDS, () =>
          visit.call('POST /v1/webhooks', { body: bodyOf(form) }),
        );
        if (faults) return showForm(visit, undefined, faults, form);
        showSecret(visit, done, 'Your new webhook');
      },
    },
    {
      method: 'GET',
      path: '/webhooks/:id',
      scope: 'webhooks:read',
      handle: async (visit) => showWebhook(visit, await findWebhook(visit)),
    },
    {
      method: 'GET',
      path: '/webhooks/:id/edit',
      scope: 'webhooks:write',
      handle: async (visit) => showForm(visit, await findWebhook(visit)),
    },
    {
      method: 'POST',
      path: '/webhooks/:id/edit',
      scope: 'webhooks:write',
      handle: async (visit, form) => {
        const webhook = await findWebhook(visit);
        const { faults } = await attempt(WEBHOOK_FIELDS, () =>
          visit.call('PATCH /v1/webhooks/:id', { params: { id: webhook.id }, body: changeOf(form, webhook) }),
        );
        if (faults) return showForm(visit, webhook, faults, form);
        seeOther(visit.ctx, visit.url(`/webhooks/${webhook.id}`));
      },
    },
    button('test', (visit, id) => visit.call('POST /v1/webhooks/:id/test', { params: { id } })),
    button('status', (visit, id, form) =>
      visit.call('PATCH /v1/webhooks/:id', { params: { id }, body: { status: form.get('status') } }),
    ),
    {
      method: 'POST',
      path: '/webhooks/:id/rotate',
      scope: 'webhooks:write',
      recent: true,
      handle: async (visit) => {
        const webhook = await findWebhook(visit);
        const { done, faults } = await attempt([], () =>
          visit.call('POST /v1/webhooks/:id/rotate-secret', { params: { id: webhook.id }, body: {} }),
        );
        if (faults) return showWebhook(visit, webhook, faults);
        showSecret(visit, done, 'The new signing secret');
      },
    },
    {
      method: 'GET',
      path: '/webhooks/:id/delete',
      scope: 'webhooks:write',
      handle: async (visit) => {
        const webhook = await findWebhook(visit);
        visit.render('console/confirm', {
          title: 'Delete this webhook?',
          paragraphs: [
            `Nothing more is sent to ${webhook.url}, and what was sent is forgotten with it.`,
            'To stop it for a while, disable it instead.',
          ],
          action: visit.url(`/webhooks/${webhook.id}/delete`),
          submit: 'Delete the webhook',
          cancelUrl: visit.url(`/webhooks/${webhook.id}`),
        });
      },
    },
    {
      method: 'POST',
      path: '/webhooks/:id/delete',
      scope: 'webhooks:write',
      handle: async (visit) => {
        await visit.call('DELETE /v1/webhooks/:id', { params: { id: param(visit, 'id') } });
        seeOther(visit.ctx, visit.url('/webhooks'));
      },
    },
  ];
}

const findWebhook = (visit: Visit): Promise<WebhookObject> =>
  visit.call('GET /v1/webhooks/:id', { params: { id: param(visit, 'id') } });

const webhookRow = (visit: Visit, webhook: WebhookObject): WebhookRow => ({
  pageUrl: visit.url(`/webhooks/${webhook.id}`),
  url: webhook.url,
  description: webhook.description ?? undefined,
  events: webhook.events,
  active: webhook.status === 'active',
  disabledReason: webhook.disabledReason ?? undefined,
  oldSecretUntil: webhook.previousSecretExpiresAt ?? undefined,
  createdAt: webhook.createdAt,
});
