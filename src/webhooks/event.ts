import type { AuditEventType } from '../../config/audit-events.ts';
import type { Environment } from '../../config/environments.ts';
import { isWebhookEvent, type WebhookEventType } from '../../config/webhook-events.ts';
import type { AuditEvent, RecordAudit } from '../audit/event.ts';

/*
 * How something that happened reaches a webhook:
 *   1. a feature records what it did with `audit`, in the transaction of the change; it knows no webhooks;
 *   2. `alsoTelling` gives what the contract lists to `publish`, in that same transaction;
 *   3. `publish` writes the event and a delivery for each webhook that wants it, or nothing (adapters/database/webhook-outbox.ts);
 *   4. the worker of any process claims deliveries under a lease, fairly between organizations (worker.ts), and signs and
 *      sends each (send.ts, signing.ts);
 *   5. what the answer means is decided purely (outcome.ts, retry.ts) and written down with it.
 * What is told and never was a change (a key that will expire) is given to `publish` by src/alerts.
 */

/** What is told to webhooks. `data` holds names and figures, never a secret, never the text of a prompt. */
export type TellableEvent = {
  type: WebhookEventType;
  organizationId: string;
  /** Whose webhooks are told: those of the sandbox or of production. */
  environment: Environment;
  data: Record<string, unknown>;
};

/** Joins the open transaction. Rejects when the event can't be kept: the change must then not happen either. */
export type PublishEvent = (event: TellableEvent) => Promise<void>;

/** `audit`, which also publishes what webhooks are told of: each feature tells both with one call. */
export const alsoTelling =
  (audit: RecordAudit, publish: PublishEvent): RecordAudit =>
  async (event) => {
    await audit(event);
    const told = tellable(event);
    if (told) await publish(told);
  };

/** What of an audit event's data is told. The rest, addresses of people among it, stays in the audit log. */
const TOLD_MEMBERS = [
  'name',
  'kind',
  'fields',
  'number',
  'scopes',
  'role',
  'from',
  'to',
  'rotatedFrom',
  'secretId',
  'reason',
];

/**
 * What webhooks are told of an audit event; undefined for nothing. It says what happened to what, and is no copy of the thing:
 * who may set up webhooks need not be one who may read prompts. What concerns the whole organization is told to the
 * webhooks of production. Pure.
 */
export function tellable(event: AuditEvent): TellableEvent | undefined {
  const { type, organizationId, environment, actor, targetId, data = {} } = event;
  if (!isWebhookEvent(type) || organizationId === undefined) return undefined;
  return {
    type,
    organizationId,
    environment: environment ?? 'live',
    data: {
      ...subject(type, targetId),
      organizationId,
      ...(environment ? { environment } : {}),
      actor: { type: actor.type, id: actor.id ?? null },
      ...Object.fromEntries(Object.entries(data).filter(([name]) => TOLD_MEMBERS.includes(name))),
    },
  };
}

/** The audit log names the prompt for its versions. */
const subject = (type: AuditEventType, targetId: string | undefined): Record<string, unknown> => {
  const object = type.split('.')[0];
  return object === 'version' ? { object, promptId: targetId } : { object, id: targetId };
};
