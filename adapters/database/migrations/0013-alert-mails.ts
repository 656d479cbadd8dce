import type { Knex } from 'knex';

/**
 * An alert's mail is sent to each of its readers by itself, so that an address which refuses it neither keeps it from the others
 * nor has them get it again. A webhook whose receiver asks for a pause gets one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Still to be sent: a row goes when its mail went, or was given up.
    CREATE TABLE alert_mails (
      alert_id text NOT NULL REFERENCES alerts ON DELETE CASCADE,
      user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
      due_at timestamptz NOT NULL DEFAULT now(), -- later while somebody is at it
      attempts integer NOT NULL DEFAULT 0,
      PRIMARY KEY (alert_id, user_id)
    );
    CREATE INDEX alert_mails_due ON alert_mails (due_at);
    CREATE INDEX alert_mails_by_user ON alert_mails (user_id);

    -- By what a secret was reported as, to know it again when it is found elsewhere.
    CREATE INDEX alerts_of_leaks ON alerts (period) WHERE kind = 'leaked';

    ALTER TABLE webhooks ADD COLUMN paused_until timestamptz;
  `);
}

export { down } from './forward-only.ts';
