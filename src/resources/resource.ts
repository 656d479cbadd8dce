import type { z } from 'zod';
import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';
import type { AuditEventType } from '../audit/event.ts';
import type { IdPrefix } from '../kernel/ids.ts';

/*
 * A resource of /v1 is declared, not written: `prompts.ts` says what a prompt is, `records.ts` changes any
 * resource with its audit event in one transaction, `resource-routes.ts` makes the five routes of it.
 * A new one is a declaration, a store in adapters/database, and a line in the route table.
 */

/** The data that a credential may see: everything else is not there. */
export type Owner = { organizationId: string; environment: Environment };

/** Each resource's name, as in `object` and in the types of its events. */
type ResourceName = 'prompt';

/**
 * Where a resource is kept. Every method is held to `owner`: another's item is as if it didn't exist. Every method joins the
 * open transaction.
 */
export type ResourceStore<Item, Create, Change> = {
  /** Newest first, from below the id `after`; at most `limit`. */
  list(owner: Owner, page: { limit: number; after: string | undefined }): Promise<Item[]>;
  find(owner: Owner, id: string): Promise<Item | undefined>;
  insert(owner: Owner, item: Create & { id: string; at: Date }): Promise<Item>;
  /** MUST hold the item's lock until the transaction ends, so that changes of one item follow each other. */
  update(
    owner: Owner,
    id: string,
    change: Change,
    at: Date,
  ): Promise<{ before: Item; after: Item } | undefined>;
  delete(owner: Owner, id: string): Promise<boolean>;
};

export type Resource<Item, Create, Change> = {
  name: ResourceName;
  /** The list's path; an item's is below it. */
  path: `/v1/${string}`;
  idPrefix: IdPrefix;
  scopes: { read: Scope; write: Scope };
  /** The object that answers show. */
  object: z.ZodType;
  create: z.ZodType<Create>;
  change: z.ZodType<Change>;
  present(item: Item): object;
  /** What else than `<name>.updated` an update was. */
  alsoHappened?(before: Item, after: Item): { type: AuditEventType; data: Record<string, unknown> }[];
};
