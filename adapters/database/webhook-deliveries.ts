import { newId } from '../../src/kernel/ids.ts';
import type { Attempt, Delivery, DeliveryStatus, DeliveryStore } from '../../src/webhooks/delivery.ts';
import type { Webhook } from '../../src/webhooks/webhook.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';
import { newestFirst } from './page.ts';

type Row = {
  id: string;
  webhook_id: string;
  event_id: string;
  type: string;
  body: string;
  redelivery_of: string | null;
  status: DeliveryStatus;
  attempt_count: number;
  attempts: KeptAttempt[];
  due_at: Date | null;
  created_at: Date;
  completed_at: Date | null;
};

/** Of those before the newest, what is the same is left out: see webhook-queue.ts. */
type KeptAttempt = Omit<Attempt, 'url' | 'headers'> & Partial<Pick<Attempt, 'url' | 'headers'>>;

type OverflowingWebhook = Pick<Webhook, 'id' | 'organizationId' | 'environment' | 'url'>;

const DUE_AT =
  "CASE WHEN d.status = 'pending' THEN greatest(d.next_attempt_at, w.paused_until) END AS due_at";

/** Finished deliveries, and events that none is left of, are kept for so many days. */
const KEPT_DAYS = 30;
/** More than so many of one webhook don't wait: beyond, it is not keeping up and never will. */
const MOST_WAITING = 50_000;

/** Deliveries as their owners see them. */
export function createDeliveryStore(database: Database): DeliveryStore {
  const deliveries = (webhookId: string) =>
    database
      .sql()('webhook_deliveries AS d')
      .join('webhook_events AS e', 'e.id', 'd.event_id')
      .join('webhooks AS w', 'w.id', 'd.webhook_id')
      .where('d.webhook_id', webhookId)
      .select<Row[]>('d.*', 'e.type', 'e.body', database.sql().raw(DUE_AT));

  const find = async (webhookId: string, id: string): Promise<Delivery | undefined> => {
    const [row] = await deliveries(webhookId).where('d.id', id);
    return row && toDelivery(row);
  };

  const insert = async (webhookId: string, eventId: string, redeliveryOf?: string): Promise<Delivery> => {
    const id = newId('dlv');
    await database
      .sql()('webhook_deliveries')
      .insert({ id, webhook_id: webhookId, event_id: eventId, redelivery_of: redeliveryOf });
    return (await find(webhookId, id)) as Delivery;
  };

  return {
    list: async (webhookId, page) => {
      const rows = await deliveries(webhookId).modify(newestFirst(page, 'd.id'));
      return rows.map(toDelivery);
    },
    find,
    queue: ({ id: webhookId, organizationId }, event) =>
      database.transaction(async () => {
        await database.sql()('webhook_events').insert({
          id: event.id,
          organization_id: organizationId,
          type: event.type,
          body: event.body,
          created_at: event.createdAt,
        });
        return insert(webhookId, event.id);
      }),
    queueAgain: (webhookId, id) =>
      database.transaction(async () => {
        const delivery = await find(webhookId, id);
        return delivery && (await insert(webhookId, delivery.eventId, id));
      }),
  };
}

/** What has to be done from time to time; each is bounded. */
export function createDeliveryUpkeep(database: Database) {
  return {
    /** Gives up at most `most` that could not be attempted within the day, since their webhooks are disabled; returns how many. */
    expire: async (afterSeconds: number, most: number): Promise<number> => {
      const { rowCount } = await database.sql().raw<{ rowCount: number }>(
        `WITH past AS MATERIALIZED (
           SELECT d.id FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
           WHERE d.status = 'pending' AND w.disabled_reason IS NOT NULL
             AND d.created_at < now() - :afterSeconds * interval '1 second'
           LIMIT :most FOR UPDATE OF d SKIP LOCKED)
         UPDATE webhook_deliveries
         SET status = 'failed', next_attempt_at = NULL, claimed_by = NULL, completed_at = now()
         FROM past WHERE webhook_deliveries.id = past.id`,
        { afterSeconds, most },
      );
      return rowCount;
    },
    /** Active webhooks for which more wait than may. */
    overflowing: async (): Promise<OverflowingWebhook[]> => {
      const { rows } = await database.sql().raw<{ rows: OverflowingWebhook[] }>(
        `SELECT w.id, w.organization_id AS "organizationId", w.environment, w.url FROM webhooks w
         WHERE w.disabled_reason IS NULL AND EXISTS (
           SELECT 1 FROM webhook_deliveries d
           WHERE d.webhook_id = w.id AND d.status = 'pending' OFFSET ? LIMIT 1)`,
        [MOST_WAITING],
      );
      return rows;
    },
    /** Deletes at most `most` events past their time, with their deliveries; returns how many. */
    forget: (most: number): Promise<number> =>
      clearSome(
        database,
        {
          table: 'webhook_events',
          key: 'id',
          condition: "created_at < now() - :days * interval '1 day'",
          bindings: { days: KEPT_DAYS },
        },
        most,
      ),
  };
}

const toDelivery = (row: Row): Delivery => ({
  id: row.id,
  webhookId: row.webhook_id,
  eventId: row.event_id,
  eventType: row.type,
  body: row.body,
  redeliveryOf: row.redelivery_of ?? undefined,
  status: row.status,
  attemptCount: row.attempt_count,
  attempts: wholeAttempts(row.attempts),
  nextAttemptAt: row.due_at ?? undefined,
  createdAt: row.created_at,
  completedAt: row.completed_at ?? undefined,
});

function wholeAttempts(kept: readonly KeptAttempt[]): Attempt[] {
  let url = '';
  return kept
    .toReversed()
    .map((attempt) => {
      url = attempt.url ?? url;
      return { headers: {}, ...attempt, url };
    })
    .toReversed();
}
