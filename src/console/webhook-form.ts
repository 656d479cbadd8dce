import { EVENT_PATTERNS } from '../../config/webhook-events.ts';
import type { EventGroup, WebhookValues } from '../../views/console/webhooks.ts';
import type { Form } from '../http/forms.ts';
import type { WebhookObject } from '../webhooks/routes.ts';

export const WEBHOOK_FIELDS = ['url', 'events', 'description'];

export const EMPTY_WEBHOOK: WebhookValues = { url: '', description: '' };

export const valuesOfForm = (form: Form): WebhookValues => ({
  url: form.get('url'),
  description: form.get('description'),
});

export const valuesOfWebhook = ({ url, description }: WebhookObject): WebhookValues => ({
  url,
  description: description ?? '',
});

/** What the form asks for, as the API takes it. */
export const bodyOf = (form: Form) => ({
  url: form.get('url').trim(),
  events: [...new Set(form.all('event'))],
  description: form.get('description').trim() || null,
});

/** Of what the form asks for, what differs from the webhook as it is. */
export function changeOf(form: Form, webhook: WebhookObject): Record<string, unknown> {
  const before: Record<string, unknown> = { ...webhook, events: [...webhook.events].sort() };
  return Object.fromEntries(
    Object.entries(bodyOf(form)).filter(([name, value]) => {
      const wanted = name === 'events' && Array.isArray(value) ? [...value].sort() : value;
      return JSON.stringify(before[name]) !== JSON.stringify(wanted);
    }),
  );
}

const inWords = (text: string): string => text.replaceAll('_', ' ');

/** Everything that a webhook can be told, by what it is about; the first of each group stands for all of it. */
export const eventGroups = (ticked: readonly string[]): EventGroup[] =>
  [...Map.groupBy(EVENT_PATTERNS, (pattern) => pattern.split('.')[0] ?? '')].map(([of, patterns]) => ({
    of:
      of === '*'
        ? 'Everything'
        : of === 'api_key'
          ? 'API key'
          : inWords(of.charAt(0).toUpperCase() + of.slice(1)),
    ticks: patterns.map((pattern) => ({
      event: pattern,
      label:
        pattern === '*'
          ? 'All, those to come included'
          : pattern.endsWith('.*')
            ? 'All'
            : inWords(pattern.split('.')[1] ?? ''),
      checked: ticked.includes(pattern),
    })),
  }));
