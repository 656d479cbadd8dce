import type { Environment } from '../../config/environments.ts';
import type { Sealer } from '../../src/kernel/sealing.ts';
import { type Secret, sha256 } from '../../src/kernel/secret.ts';
import type { DisabledReason, Webhook, WebhookOwner, WebhookStore } from '../../src/webhooks/webhook.ts';
import type { Database } from './database.ts';
import { countLocked } from './lock-organization.ts';
import { alone } from './locks.ts';
import { newestFirst } from './page.ts';

type Row = {
  id: string;
  organization_id: string;
  environment: Environment;
  url: string;
  events: string[];
  description: string | null;
  disabled_reason: DisabledReason | null;
  previous_secret_until: Date | null;
  created_at: Date;
  updated_at: Date;
};

const COLUMNS = [
  'id',
  'organization_id',
  'environment',
  'url',
  'events',
  'description',
  'disabled_reason',
  'previous_secret_until',
  'created_at',
  'updated_at',
] as const satisfies (keyof Row)[];

/** What a webhook's secrets are sealed with, so that one moved to another row opens nothing. */
export const sealingContext = (webhookId: string): string => `webhook/${webhookId}`;

/** Webhooks and their secrets. */
export function createWebhookStore(database: Database, sealer: Sealer): WebhookStore {
  const webhooks = () => database.sql()('webhooks');
  const owned = ({ organizationId, environment }: WebhookOwner) =>
    webhooks().where({ organization_id: organizationId, environment });

  const seal = (id: string, secret: Secret) => ({
    sealed_secret: sealer.seal(secret.reveal(), sealingContext(id)),
    secret_hash: sha256(secret.reveal()),
  });

  return {
    insert: async (webhook, secret) => {
      await webhooks().insert({
        id: webhook.id,
        organization_id: webhook.organizationId,
        environment: webhook.environment,
        url: webhook.url,
        events: [...webhook.events],
        description: webhook.description,
        disabled_reason: webhook.disabledReason,
        created_at: webhook.createdAt,
        updated_at: webhook.updatedAt,
        ...seal(webhook.id, secret),
      });
    },
    find: async (owner, id) => {
      const [row] = await owned(owner).where({ id }).select<Row[]>(COLUMNS);
      return row && toWebhook(row);
    },
    findForChange: async (owner, id) => {
      const [row] = await owned(owner).where({ id }).forNoKeyUpdate().select<Row[]>(COLUMNS);
      return row && toWebhook(row);
    },
    findForDeletion: async (owner, id) => {
      await database.sql().raw(`SELECT ${alone('webhooks', '?::text')}`, [owner.organizationId]);
      const [row] = await owned(owner).where({ id }).forNoKeyUpdate().select<Row[]>(COLUMNS);
      return row && toWebhook(row);
    },
    list: async (owner, page) => {
      const rows = await owned(owner).modify(newestFirst(page)).select<Row[]>(COLUMNS);
      return rows.map(toWebhook);
    },
    update: async (id, change, at) => {
      await webhooks()
        .where({ id })
        .update({
          ...(change.url === undefined ? {} : { url: change.url }),
          ...(change.events === undefined ? {} : { events: [...change.events] }),
          ...(change.description === undefined ? {} : { description: change.description }),
          ...('disabledReason' in change ? { disabled_reason: change.disabledReason ?? null } : {}),
          // What failed before says nothing about another address, or after its owner has seen to it.
          ...(change.url !== undefined || 'disabledReason' in change
            ? { failing_since: null, slow: false, paused_until: null }
            : {}),
          updated_at: at,
        });
    },
    delete: async (id) => {
      await webhooks().where({ id }).delete();
    },
    replaceSecret: async (id, secret, graceSeconds) => {
      const fresh = seal(id, secret);
      const { rows } = await database.sql().raw<{ rows: { until: Date | null }[] }>(
        `UPDATE webhooks SET
           sealed_previous_secret = CASE WHEN :grace > 0 THEN sealed_secret END,
           previous_secret_hash = CASE WHEN :grace > 0 THEN secret_hash END,
           previous_secret_until = CASE WHEN :grace > 0 THEN now() + :grace * interval '1 second' END,
           sealed_secret = :sealed, secret_hash = :hash, updated_at = now()
         WHERE id = :id RETURNING previous_secret_until AS until`,
        { id, sealed: fresh.sealed_secret, hash: fresh.secret_hash, grace: graceSeconds },
      );
      return rows[0]?.until ?? undefined;
    },
    countOf: (organizationId) => countLocked(database, 'webhooks', organizationId),
    disable: async (id, reason) =>
      (await webhooks()
        .where({ id })
        .whereNull('disabled_reason')
        .update({ disabled_reason: reason, updated_at: database.sql().fn.now() })) === 1,
    findBySecret: async (hash) => {
      const [row] = await webhooks()
        .whereRaw('secret_hash = :hash OR (previous_secret_hash = :hash AND previous_secret_until > now())', {
          hash,
        })
        .select<(Row & { secret_hash: Buffer })[]>(...COLUMNS, 'secret_hash');
      return row && { ...toWebhook(row), isPrevious: !row.secret_hash.equals(hash) };
    },
    endPreviousSecret: async (id, graceSeconds) => {
      const soon = database.sql().raw("now() + ? * interval '1 second'", [graceSeconds]);
      return (
        (await webhooks()
          .where({ id })
          .where('previous_secret_until', '>', soon)
          .update({ previous_secret_until: soon })) === 1
      );
    },
  };
}

const toWebhook = (row: Row): Webhook => ({
  id: row.id,
  organizationId: row.organization_id,
  environment: row.environment,
  url: row.url,
  events: row.events,
  description: row.description,
  disabledReason: row.disabled_reason ?? undefined,
  previousSecretUntil: row.previous_secret_until ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
