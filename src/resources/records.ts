import type { AuditEventType, RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { actorOf, type Principal } from '../principals/principal.ts';
import type { Owner, Resource, ResourceStore } from './resource.ts';

/** Who acts, and from which address. */
export type By = { principal: Principal; ip: string };

export type RecordDeps = {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
};

export type Records<Item, Create, Change> = {
  create(by: By, fields: Create): Promise<Item>;
  change(by: By, id: string, change: Change): Promise<Item>;
  remove(by: By, id: string): Promise<void>;
};

export const ownerOf = ({ organizationId, environment }: Principal): Owner => ({
  organizationId,
  environment,
});

/** Writes what `by` did to `targetId` into the audit log, in the open transaction. */
export const recordBy = (
  audit: RecordAudit,
  { principal, ip }: By,
  type: AuditEventType,
  targetId: string,
  data: Record<string, unknown> = {},
): Promise<void> =>
  audit({
    type,
    organizationId: principal.organizationId,
    actor: actorOf(principal),
    targetId,
    ip,
    data: {
      ...data,
      environment: principal.environment,
      ...(principal.clientId ? { clientId: principal.clientId } : {}),
    },
  });

/**
 * Changes items of a resource, each change and its audit event in one transaction. Throws not_found for an item that the
 * principal may not see. Does NOT check scopes; `fields` and `change` were checked by the resource's schemas.
 */
export function createRecords<Item extends { id: string }, Create extends object, Change extends object>(
  resource: Pick<Resource<Item, Create, Change>, 'name' | 'idPrefix' | 'alsoHappened'>,
  store: ResourceStore<Item, Create, Change>,
  { transaction, audit, clock }: RecordDeps,
): Records<Item, Create, Change> {
  const { name } = resource;
  return {
    create: (by, fields) =>
      transaction(async () => {
        const at = clock();
        const item = await store.insert(ownerOf(by.principal), {
          ...fields,
          id: newId(resource.idPrefix, at),
          at,
        });
        await recordBy(audit, by, `${name}.created`, item.id);
        return item;
      }),
    change: (by, id, change) =>
      transaction(async () => {
        const updated = await store.update(ownerOf(by.principal), id, change, clock());
        if (!updated) throw notFound();
        const fields = Object.keys(change);
        if (fields.length > 0) await recordBy(audit, by, `${name}.updated`, id, { fields });
        for (const { type, data } of resource.alsoHappened?.(updated.before, updated.after) ?? []) {
          await recordBy(audit, by, type, id, data);
        }
        return updated.after;
      }),
    remove: (by, id) =>
      transaction(async () => {
        if (!(await store.delete(ownerOf(by.principal), id))) throw notFound();
        await recordBy(audit, by, `${name}.deleted`, id);
      }),
  };
}
