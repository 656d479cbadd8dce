import type { AuditEventType } from '../../config/audit-events.ts';
import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { actorOf, type By, type Principal } from '../principals/principal.ts';
import { NoSuchItemError } from './no-such-item-error.ts';
import type { Changes, Owner, Resource, ResourceStore, Stored } from './resource.ts';

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
    environment: principal.environment,
    actor: actorOf(principal),
    targetId,
    ip,
    data: {
      ...data,
      ...(principal.clientId ? { clientId: principal.clientId } : {}),
    },
  });

/** A fault of one member of the body that only the data could tell. */
export const invalid = (path: string, message: string, options?: ErrorOptions): AppError =>
  new AppError('validation_failed', 'The request has a fault.', { errors: [{ path, message }] }, options);

/**
 * Changes items of a resource, each change and its audit event in one transaction. Throws not_found for an item that the
 * principal may not see, and validation_failed for a reference to one. Does NOT check scopes; `fields` and `change` were
 * checked by the resource's schemas.
 */
export function createRecords<Item extends Stored, Create extends object, Change extends Changes<Item>>(
  resource: Pick<Resource<Item, Create, Change>, 'name' | 'idPrefix' | 'check' | 'decide' | 'alsoHappened'>,
  store: ResourceStore<Item, Create>,
  { transaction, audit, clock }: RecordDeps,
): Records<Item, Create, Change> {
  const { name, decide = (_before, change) => change } = resource;
  return {
    create: (by, fields) =>
      inWords(() =>
        transaction(async () => {
          const at = clock();
          const owner = ownerOf(by.principal);
          await resource.check?.(owner, undefined, fields);
          const item = await store.insert(owner, { ...fields, id: newId(resource.idPrefix, at), at });
          await recordBy(audit, by, `${name}.created`, item.id);
          return item;
        }),
      ),
    change: (by, id, change) =>
      inWords(() =>
        transaction(async () => {
          const at = clock();
          const owner = ownerOf(by.principal);
          await resource.check?.(owner, id, change);
          const updated = await store.update(owner, id, (before) => decide(before, change, at), at);
          if (!updated) throw notFound();
          const fields = Object.keys(change);
          if (fields.length > 0) await recordBy(audit, by, `${name}.updated`, id, { fields });
          for (const { type, data } of resource.alsoHappened?.(updated.before, updated.after) ?? []) {
            await recordBy(audit, by, type, id, data);
          }
          return updated.after;
        }),
      ),
    remove: (by, id) =>
      transaction(async () => {
        if (!(await store.delete(ownerOf(by.principal), id))) throw notFound();
        await recordBy(audit, by, `${name}.deleted`, id);
      }),
  };
}

/** A reference to nothing is the caller's fault, to be said with its path. */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoSuchItemError)) throw error;
    throw invalid(error.field, 'names nothing that this credential may see', { cause: error });
  }
}
