import type { WebhookEventType } from '../../config/webhook-events.ts';
import type { Clock } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { PublishEvent } from '../webhooks/event.ts';
import type { AlertKind, AlertStore, NewAlert } from './alert.ts';

export type RaiseAlert = (alert: NewAlert) => Promise<void>;

const EVENTS: Record<AlertKind, WebhookEventType | undefined> = {
  new_network: 'api_key.unusual_activity',
  burst: 'api_key.unusual_activity',
  refusals: 'api_key.unusual_activity',
  slept: 'api_key.unusual_activity',
  outside_allowlist: 'api_key.unusual_activity',
  expiring: 'api_key.expiring',
  limit: 'limit.warning',
  leaked: 'api_key.leaked',
  webhook_disabled: undefined, // there may be nobody left to tell
};

/** Tells owners of something, once in its period: by a row, from which mail and console are made, and by webhook. */
export const createRaise =
  (deps: {
    alerts: Pick<AlertStore, 'insert'>;
    publish: PublishEvent;
    transaction<T>(work: () => Promise<T>): Promise<T>;
    clock: Clock;
  }): RaiseAlert =>
  (alert) =>
    deps.transaction(async () => {
      const createdAt = deps.clock();
      const isNew = await deps.alerts.insert({ ...alert, id: newId('alr', createdAt), createdAt });
      const type = EVENTS[alert.kind];
      if (!isNew || !type) return;
      const { kind, subject, organizationId, environment, data } = alert;
      await deps.publish({
        type,
        organizationId,
        environment,
        data: {
          ...subjectOf(alert),
          organizationId,
          environment,
          ...(type === 'api_key.unusual_activity' ? { rule: kind } : {}),
          ...(kind === 'limit' ? {} : { credential: subject }),
          ...data,
        },
      });
    });

/** A credential of a person with an app is the app's to its developer. */
function subjectOf({ kind, subject }: NewAlert): { object: string; id?: string } {
  if (kind === 'limit') return { object: 'limit' };
  const id = subject.split(':').at(-1) ?? subject;
  const object = id.startsWith('key_') ? 'api_key' : id.startsWith('wh_') ? 'webhook' : 'app';
  return { object, id };
}
