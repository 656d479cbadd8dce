import type { Environment } from '../../config/environments.ts';
import type { Sealer } from '../../src/kernel/sealing.ts';
import { Secret } from '../../src/kernel/secret.ts';
import type { Claimed, DeliveryQueue } from '../../src/webhooks/delivery.ts';
import type { Database } from './database.ts';
import { sealingContext } from './webhooks.ts';

type Row = {
  id: string;
  event_id: string;
  body: string;
  attempt_count: number;
  age_seconds: number;
  waited_seconds: number;
  webhook_id: string;
  organization_id: string;
  environment: Environment;
  url: string;
  slow: boolean;
  failing_for_seconds: number;
  sealed_secret: Buffer;
  sealed_previous_secret: Buffer | null;
};

/*
 * The webhooks that have something waiting are found by skipping through the index from one to the next, so that a queue of
 * a hundred thousand for one of them costs no more than a queue of one. Of each, the first few that are due; of these,
 * every organization's first before any one's second, behind what it has under way already.
 *
 * Rows that another worker took in between have a later next_attempt_at by the time that their lock is had, and drop out:
 * READ COMMITTED checks the condition again on the newest version.
 */
const CLAIM = `
  WITH RECURSIVE busy_webhooks AS (
    SELECT id, count(*) AS count FROM unnest(:busyWebhooks::text[]) AS b (id) GROUP BY id),
  busy_organizations AS (
    SELECT id, count(*) AS count FROM unnest(:busyOrganizations::text[]) AS b (id) GROUP BY id),
  waiting (webhook_id) AS (
    (SELECT webhook_id FROM webhook_deliveries WHERE status = 'pending' ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM webhook_deliveries d
            WHERE d.status = 'pending' AND d.webhook_id > waiting.webhook_id ORDER BY d.webhook_id LIMIT 1)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL),
  due AS (
    SELECT d.id, d.next_attempt_at,
           row_number() OVER (PARTITION BY w.organization_id ORDER BY d.next_attempt_at, d.id)
             + coalesce(bo.count, 0) AS turn
    FROM waiting
    JOIN webhooks w ON w.id = waiting.webhook_id AND w.disabled_reason IS NULL AND w.slow = :slow
      AND (w.paused_until IS NULL OR w.paused_until <= now())
    LEFT JOIN busy_webhooks bw ON bw.id = w.id
    LEFT JOIN busy_organizations bo ON bo.id = w.organization_id
    CROSS JOIN LATERAL (
      SELECT id, next_attempt_at FROM webhook_deliveries
      WHERE webhook_id = w.id AND status = 'pending' AND next_attempt_at <= now()
      ORDER BY next_attempt_at, id
      LIMIT greatest(:perWebhook - coalesce(bw.count, 0), 0)) d
    WHERE coalesce(bo.count, 0) < :perOrganization),
  chosen AS (
    SELECT id FROM due WHERE turn <= :perOrganization ORDER BY turn, next_attempt_at LIMIT :most),
  locked AS (
    SELECT id, next_attempt_at AS due_at FROM webhook_deliveries
    WHERE id IN (SELECT id FROM chosen) AND status = 'pending' AND next_attempt_at <= now()
    FOR UPDATE SKIP LOCKED)
  UPDATE webhook_deliveries d
  SET claimed_by = :worker, next_attempt_at = now() + :leaseSeconds * interval '1 second'
  FROM locked, webhooks w, webhook_events e
  WHERE d.id = locked.id AND w.id = d.webhook_id AND e.id = d.event_id
  RETURNING d.id, d.event_id, e.body, d.attempt_count,
    extract(epoch FROM now() - d.created_at)::float8 AS age_seconds,
    extract(epoch FROM now() - greatest(locked.due_at, w.paused_until))::float8 AS waited_seconds,
    d.webhook_id, w.organization_id, w.environment, w.url, w.slow,
    coalesce(extract(epoch FROM now() - w.failing_since), 0)::float8 AS failing_for_seconds,
    w.sealed_secret,
    CASE WHEN w.previous_secret_until > now() THEN w.sealed_previous_secret END AS sealed_previous_secret`;

/*
 * The webhook's lock comes first, as it does for whoever deletes it: the other way round the two would wait for each other.
 *
 * The newest attempt is kept whole, of those before it what tells them apart: a receiver that never says yes would otherwise fill
 * the table with fifteen copies of a long address and a long answer for each event.
 */
const COMPLETE = `
  WITH webhook AS MATERIALIZED (
    SELECT id FROM webhooks WHERE id = (SELECT webhook_id FROM webhook_deliveries WHERE id = :id) FOR NO KEY UPDATE),
  completed AS (
    UPDATE webhook_deliveries SET
      attempt_count = attempt_count + 1,
      attempts = (
        SELECT coalesce(jsonb_agg(
          (one - 'headers' - CASE WHEN one ->> 'url' = :url THEN 'url' ELSE '' END)
            || jsonb_build_object('body', left(one ->> 'body', :bodyStart)) ORDER BY number), '[]')
        FROM jsonb_array_elements(attempts) WITH ORDINALITY AS earlier (one, number)) || :attempt::jsonb,
      claimed_by = NULL,
      status = :status,
      next_attempt_at = now() + :retryInSeconds::float8 * interval '1 second', -- null when there is no other
      completed_at = CASE WHEN :status::text = 'pending' THEN NULL ELSE now() END
    FROM webhook
    WHERE webhook_deliveries.id = :id AND webhook_id = webhook.id AND claimed_by = :worker AND status = 'pending'
    RETURNING webhook_id),
  standing AS (
    UPDATE webhooks SET
      slow = :slow,
      failing_since = CASE WHEN :succeeded THEN NULL ELSE coalesce(failing_since, now()) END,
      paused_until = coalesce(now() + :pauseSeconds::float8 * interval '1 second', paused_until)
    FROM completed
    WHERE webhooks.id = completed.webhook_id
      AND (slow <> :slow OR (failing_since IS NULL) <> :succeeded OR :pauseSeconds::float8 IS NOT NULL))
  SELECT 1 FROM completed`;

/** Characters that are kept of the answer to an attempt that another has followed. */
const KEPT_BODY_START = 100;

/** The queue of deliveries, for workers of any number of processes. */
export function createDeliveryQueue(database: Database, sealer: Sealer): DeliveryQueue {
  const toClaimed = (row: Row): Claimed => ({
    id: row.id,
    webhook: {
      id: row.webhook_id,
      organizationId: row.organization_id,
      environment: row.environment,
      url: row.url,
    },
    lane: row.slow ? 'slow' : 'prompt',
    event: { id: row.event_id, body: row.body },
    attemptCount: row.attempt_count,
    ageSeconds: row.age_seconds,
    waitedSeconds: row.waited_seconds,
    failingForSeconds: row.failing_for_seconds,
    openSecrets: () =>
      [row.sealed_secret, row.sealed_previous_secret]
        .filter((sealed) => sealed !== null)
        .map((sealed) => new Secret(sealer.open(sealed, sealingContext(row.webhook_id)))),
  });

  return {
    claim: async ({ worker, lane, most, perWebhook, perOrganization, busy, leaseSeconds }) => {
      const { rows } = await database.sql().raw<{ rows: Row[] }>(CLAIM, {
        worker,
        slow: lane === 'slow',
        most,
        perWebhook,
        perOrganization,
        leaseSeconds,
        busyWebhooks: busy.map(({ id }) => id),
        busyOrganizations: busy.map(({ organizationId }) => organizationId),
      });
      return rows.map(toClaimed);
    },
    renew: async (worker, ids, leaseSeconds) => {
      await database
        .sql()('webhook_deliveries')
        .whereIn('id', ids)
        .where({ claimed_by: worker, status: 'pending' })
        .update({
          next_attempt_at: database.sql().raw("now() + ? * interval '1 second'", [leaseSeconds]),
        });
    },
    release: async (worker, ids) => {
      await database
        .sql()('webhook_deliveries')
        .whereIn('id', ids)
        .where({ claimed_by: worker, status: 'pending' })
        .update({ claimed_by: null, next_attempt_at: database.sql().fn.now() });
    },
    complete: async (worker, id, attempt, { succeeded, retryInSeconds, pauseSeconds, slow }) => {
      const status = succeeded ? 'succeeded' : retryInSeconds === undefined ? 'failed' : 'pending';
      const { rows } = await database.sql().raw<{ rows: unknown[] }>(COMPLETE, {
        worker,
        id,
        attempt: JSON.stringify([attempt]),
        url: attempt.url,
        bodyStart: KEPT_BODY_START,
        status,
        retryInSeconds: retryInSeconds ?? null,
        pauseSeconds: pauseSeconds ?? null,
        slow,
        succeeded,
      });
      return rows.length === 1;
    },
  };
}
