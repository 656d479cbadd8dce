import type { Knex } from 'knex';

/**
 * An organization's own figures, where they differ from its plan's; an app's lower ones; and which keys count as one for
 * a key's own limits: a key and those that it was rotated into, or rotating would be a way around them.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE organizations
      ADD COLUMN limit_per_second integer CHECK (limit_per_second > 0),
      ADD COLUMN limit_per_minute integer CHECK (limit_per_minute > 0),
      ADD COLUMN limit_per_day integer CHECK (limit_per_day > 0);

    ALTER TABLE apps
      ADD COLUMN limit_per_second integer CHECK (limit_per_second > 0),
      ADD COLUMN limit_per_minute integer CHECK (limit_per_minute > 0),
      ADD COLUMN limit_per_day integer CHECK (limit_per_day > 0);

    -- Null: the key itself. No reference, so that it outlasts the first key.
    ALTER TABLE api_keys ADD COLUMN first_key_id text;
  `);
}

export { down } from './forward-only.ts';
