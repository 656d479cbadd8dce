import { isWebhookEvent, patternsOf } from '../../config/webhook-events.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Outbox } from '../../src/webhooks/envelope.ts';
import type { Database } from './database.ts';
import { sharing } from './locks.ts';

/**
 * Writes an event, and a delivery of it for each webhook that wants it, in one statement. The database makes the
 * deliveries' ids, for it alone knows how many there are. A webhook that is being deleted meanwhile is waited for, and left
 * out: the change that the event tells of must not fail for it.
 */
export const createOutbox =
  (database: Database): Outbox =>
  async ({ organizationId, environment }, { id, type, body, createdAt }) => {
    if (!isWebhookEvent(type)) throw new Error(`no webhook can want ${type}`);
    const { rowCount } = await database.sql().raw<{ rowCount: number }>(
      `WITH held AS MATERIALIZED (SELECT ${sharing('webhooks', ':organizationId')}),
       receivers AS MATERIALIZED (
         SELECT id FROM webhooks, held
         WHERE organization_id = :organizationId AND environment = :environment AND disabled_reason IS NULL
           AND events && :patterns::text[]
         FOR KEY SHARE OF webhooks),
       event AS (
         INSERT INTO webhook_events (id, organization_id, type, body, created_at)
         SELECT :id, :organizationId, :type, :body, :createdAt::timestamptz WHERE EXISTS (SELECT 1 FROM receivers))
       INSERT INTO webhook_deliveries (id, webhook_id, event_id)
       SELECT :stamp || left(translate(gen_random_uuid()::text, '-', ''), 16), receivers.id, :id FROM receivers`,
      {
        organizationId,
        environment,
        id,
        type,
        body,
        createdAt: createdAt.toISOString(),
        patterns: patternsOf(type),
        stamp: newId('dlv', createdAt).slice(0, 'dlv_'.length + 10),
      },
    );
    return rowCount;
  };
