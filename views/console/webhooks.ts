import type { Environment } from '../../config/environments.ts';
import type { FormOf } from './forms.ts';

/** Webhooks and what was sent to them. */
export type WebhookPages = {
  'console/webhooks': WebhooksPage;
  'console/webhook': WebhookPage;
  'console/webhook-form': WebhookFormPage;
  'console/delivery': DeliveryPage;
};

export type WebhookRow = {
  pageUrl: string;
  /** Where it sends to. */
  url: string;
  description: string | undefined;
  events: readonly string[];
  active: boolean;
  disabledReason: string | undefined;
  /** Until when the secret before signs too. */
  oldSecretUntil: string | undefined;
  createdAt: string;
};

type WebhooksPage = {
  environment: Environment;
  webhooks: readonly WebhookRow[];
  nextUrl: string | undefined;
  newUrl: string | undefined;
};

type WebhookPage = {
  webhook: WebhookRow;
  deliveries: readonly DeliveryRow[];
  nextUrl: string | undefined;
  notice: string | undefined;
  manage?:
    | {
        editUrl: string;
        deleteUrl: string;
        testAction: string;
        statusAction: string;
        rotateAction: string;
      }
    | undefined;
};

export type WebhookValues = { url: string; description: string };

/** Events by what they are about. */
export type EventGroup = {
  of: string;
  ticks: readonly { event: string; label: string; checked: boolean }[];
};

type WebhookFormPage = FormOf<WebhookValues> & {
  environment: Environment;
  editing: boolean;
  events: readonly EventGroup[];
};

export type DeliveryRow = {
  pageUrl: string;
  id: string;
  event: string;
  status: string;
  attempts: number;
  /** The status of the newest answer, or why there was none; undefined before the first attempt. */
  answer: number | string | undefined;
  at: string;
};

type DeliveryPage = {
  delivery: DeliveryRow;
  webhookUrl: string;
  request: { headers: string; body: string };
  attempts: readonly { at: string; url: string; answer: string; body: string; durationMs: number }[];
  nextAttemptAt: string | undefined;
  redeliverAction: string | undefined;
};
