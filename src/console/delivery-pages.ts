import type { DeliveryRow } from '../../views/console/webhooks.ts';
import { seeOther } from '../http/page.ts';
import type { DeliveryObject } from '../webhooks/delivery-routes.ts';
import { type ConsolePage, param, type Visit } from './visit.ts';

/** What was sent to a webhook and what it answered; and sending it again. */
export const deliveryPages = (): ConsolePage[] => [
  {
    method: 'GET',
    path: '/webhooks/:id/deliveries/:deliveryId',
    scope: 'webhooks:read',
    handle: async (visit) => {
      const delivery = await visit.call('GET /v1/webhooks/:id/deliveries/:deliveryId', {
        params: paramsOf(visit),
      });
      const row = deliveryRow(visit, delivery);
      visit.render('console/delivery', {
        delivery: row,
        webhookUrl: visit.url(`/webhooks/${delivery.webhookId}`),
        request: {
          headers: Object.entries(delivery.request.headers)
            .map(([name, value]) => `${name}: ${value}`)
            .join('\n'),
          body: laidOut(delivery.request.body),
        },
        attempts: delivery.attempts.map(({ at, url, status, error, body, durationMs }) => ({
          at,
          url,
          answer: status === null ? (error ?? 'No answer') : String(status),
          body: body ?? '',
          durationMs,
        })),
        nextAttemptAt: delivery.nextAttemptAt ?? undefined,
        redeliverAction: visit.may('webhooks:write') ? `${row.pageUrl}/redeliver` : undefined,
      });
    },
  },
  {
    method: 'POST',
    path: '/webhooks/:id/deliveries/:deliveryId/redeliver',
    scope: 'webhooks:write',
    handle: async (visit) => {
      const again = await visit.call('POST /v1/webhooks/:id/deliveries/:deliveryId/redeliver', {
        params: paramsOf(visit),
      });
      seeOther(visit.ctx, deliveryRow(visit, again).pageUrl);
    },
  },
];

export const deliveryRow = (visit: Visit, delivery: DeliveryObject): DeliveryRow => ({
  pageUrl: visit.url(`/webhooks/${delivery.webhookId}/deliveries/${delivery.id}`),
  id: delivery.id,
  event: delivery.eventType,
  status: delivery.status,
  attempts: delivery.attemptCount,
  answer: delivery.response
    ? (delivery.response.status ?? delivery.response.error ?? 'No answer')
    : undefined,
  at: delivery.createdAt,
});

const paramsOf = (visit: Visit) => ({ id: param(visit, 'id'), deliveryId: param(visit, 'deliveryId') });

/** As it was sent, but over several lines. */
function laidOut(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
