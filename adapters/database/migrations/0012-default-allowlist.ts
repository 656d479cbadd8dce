import type { Knex } from 'knex';

/** Addresses and CIDR ranges that an organization's keys may be used from, where they name none of their own; empty for any. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw("ALTER TABLE organizations ADD COLUMN ip_allowlist text[] NOT NULL DEFAULT '{}'");
}

export { down } from './forward-only.ts';
