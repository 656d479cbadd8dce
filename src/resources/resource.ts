import type { z } from 'zod';
import type { AuditEventType } from '../../config/audit-events.ts';
import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';
import type { IdPrefix } from '../kernel/ids.ts';

/*
 * A resource of /v1 is declared, not written: `prompts.ts` says what a prompt is, `records.ts` changes any
 * resource with its audit event in one transaction, `resource-routes.ts` makes the five routes of it.
 * A new one is a declaration, a table in adapters/database/resources.ts, and a line in `routes.ts`.
 */

/** The data that a credential may see: everything else is not there. */
export type Owner = { organizationId: string; environment: Environment };

/** Each resource's name, as in `object` and in the types of its events. */
type ResourceName = 'prompt' | 'folder' | 'report' | 'evaluation' | 'dataset';

/** What every item has. */
export type Stored = { id: string; createdAt: Date; updatedAt: Date };

/** New values of some members; what is undefined stays as it is. */
export type Changes<Item> = { [Member in keyof Item]?: Item[Member] | undefined };

/**
 * Where a resource is kept. Every method is held to `owner`: another's item is as if it didn't exist. Every method joins the
 * open transaction. `insert` and `update` reject with NoSuchItemError, and the transaction with them, for a reference
 * to an item that the owner doesn't have; the reference becomes null when the item that it names is deleted.
 */
export type ResourceStore<Item, Create> = {
  /** Newest first, from below the id `after`; at most `limit`. */
  list(owner: Owner, page: { limit: number; after: string | undefined }): Promise<Item[]>;
  find(owner: Owner, id: string): Promise<Item | undefined>;
  insert(owner: Owner, item: Create & { id: string; at: Date }): Promise<Item>;
  /**
   * Writes what `decide` makes of the item as it is. MUST hold the item's lock from before that until the transaction
   * ends, so that changes of one item follow each other.
   */
  update(
    owner: Owner,
    id: string,
    decide: (before: Item) => Changes<Item>,
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
  /** Throws for what can't be written, in the transaction that is to write it. `id`: the item's that is there already. */
  check?(owner: Owner, id: string | undefined, fields: Create | Change): Promise<void>;
  /** What a change writes, where that is more than the change itself. Throws for one that the item is in no state for. */
  decide?(before: Item, change: Change, at: Date): Changes<Item>;
  /** What else than `<name>.updated` an update was. */
  alsoHappened?(before: Item, after: Item): { type: AuditEventType; data: Record<string, unknown> }[];
};
