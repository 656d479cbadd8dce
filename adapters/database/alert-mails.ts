import type { AlertMails } from '../../src/alerts/alert-mail.ts';
import { type AlertRow, NAMED_ALERTS, toAlert } from './alerts.ts';
import type { Database } from './database.ts';

type Row = AlertRow & { user_id: string; email: string | null; attempts: number };

/** Who reads an organization's alerts. */
const READERS = `
  SELECT users.id, users.email, memberships.organization_id FROM memberships JOIN users ON users.id = memberships.user_id
  WHERE memberships.role IN ('owner', 'admin') AND users.deactivated_at IS NULL`;

/** The mails of alerts, until they have gone. */
export function createAlertMails(database: Database): AlertMails {
  const row = (alertId: string, userId: string) =>
    database.sql()('alert_mails').where({ alert_id: alertId, user_id: userId });

  return {
    address: async (most, mostDisabled) => {
      const { rows } = await database.sql().raw<{ rows: [{ taken: number }] }>(
        `WITH taken AS (
           UPDATE alerts SET mail_due_at = NULL WHERE id IN (
             SELECT id FROM alerts WHERE mail_due_at <= now() ORDER BY mail_due_at LIMIT :most FOR UPDATE SKIP LOCKED)
           RETURNING id, organization_id, kind, created_at),
         mails AS (
           INSERT INTO alert_mails (alert_id, user_id)
           SELECT taken.id, readers.id FROM taken JOIN (${READERS}) AS readers USING (organization_id)
           WHERE taken.kind <> 'webhook_disabled' OR (
             SELECT count(*) FROM alerts AS before
             WHERE before.organization_id = taken.organization_id AND before.kind = taken.kind
               AND before.id < taken.id AND before.created_at > taken.created_at - interval '1 day') < :mostDisabled)
         SELECT count(*)::integer AS taken FROM taken`,
        { most, mostDisabled },
      );
      return rows[0].taken;
    },
    claim: async (most, leaseSeconds) => {
      const { rows } = await database.sql().raw<{ rows: Row[] }>(
        `WITH due AS (
           SELECT m.alert_id, m.user_id, m.due_at,
                  row_number() OVER (PARTITION BY a.organization_id ORDER BY m.due_at, m.alert_id) AS turn
           FROM alert_mails m JOIN alerts a ON a.id = m.alert_id WHERE m.due_at <= now()),
         chosen AS (SELECT alert_id, user_id FROM due ORDER BY turn, due_at LIMIT :most),
         locked AS (
           SELECT m.alert_id, m.user_id FROM alert_mails m JOIN chosen USING (alert_id, user_id)
           WHERE m.due_at <= now() FOR UPDATE OF m SKIP LOCKED),
         claimed AS (
           UPDATE alert_mails m SET due_at = now() + :leaseSeconds * interval '1 second', attempts = m.attempts + 1
           FROM locked WHERE m.alert_id = locked.alert_id AND m.user_id = locked.user_id
           RETURNING m.alert_id, m.user_id, m.attempts)
         SELECT named.*, claimed.user_id, claimed.attempts, readers.email
         FROM claimed JOIN (${NAMED_ALERTS}) AS named ON named.id = claimed.alert_id
         LEFT JOIN (${READERS}) AS readers
           ON readers.id = claimed.user_id AND readers.organization_id = named.organization_id
         ORDER BY named.id, claimed.user_id`,
        { most, leaseSeconds },
      );
      return rows.map((one) => ({
        alert: toAlert(one),
        userId: one.user_id,
        to: one.email ?? undefined,
        attempts: one.attempts,
      }));
    },
    drop: async ({ alert, userId }) => {
      await row(alert.id, userId).delete();
    },
    postpone: async ({ alert, userId }, seconds) => {
      await row(alert.id, userId).update({
        due_at: database.sql().raw("now() + ? * interval '1 second'", [seconds]),
      });
    },
  };
}
