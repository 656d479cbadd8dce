import type { Knex } from 'knex';

/** What an app binds itself to: see config/security-profiles.ts. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE apps ADD COLUMN security_profile text NOT NULL DEFAULT 'standard'
      CHECK (security_profile IN ('standard', 'fapi2'))`);
}

export { down } from './forward-only.ts';
