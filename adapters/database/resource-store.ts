import type { Knex } from 'knex';
import { NoSuchItemError } from '../../src/resources/no-such-item-error.ts';
import type { Changes, Owner, ResourceStore, Stored } from '../../src/resources/resource.ts';
import type { Database } from './database.ts';
import { newestFirst } from './page.ts';

/** How a resource's items lie in a table: a member is the column of its name in snake case. */
export type ResourceTable<Item> = {
  name: string;
  /** All that an item has beside its id and times. */
  members: readonly (keyof Item & string)[];
  /** Those that are kept as JSON. */
  json?: readonly (keyof Item & string)[];
  /** Those that name another item, each by a foreign key `<table>_<column>_fkey`. */
  references?: readonly (keyof Item & string)[];
  /** Those that are too large for lists. */
  notInLists?: readonly (keyof Item & string)[];
};

type Columns = Record<string, Knex.Value | null>;
type Row = Record<string, unknown>;

/** The columns that say whose an item is: every statement on a resource is held to them. */
export const ofOwner = ({ organizationId, environment }: Owner) => ({
  organization_id: organizationId,
  environment,
});

/** Keeps the items of one resource in one table. */
export function createResourceStore<Item extends Stored, Create extends Changes<Item>>(
  database: Database,
  table: ResourceTable<Item>,
): ResourceStore<Item, Create> {
  const { json = [], references = [], notInLists = [] } = table;
  const members = ['id', ...table.members, 'createdAt', 'updatedAt'] as (keyof Item & string)[];
  const columns = members.map(columnOf);
  const listed = members.filter((member) => !notInLists.includes(member)).map(columnOf);
  const asJson = new Set<string>(json);

  const items = (owner: Owner) => database.sql()(table.name).where(ofOwner(owner));

  const toItem = (row: Row): Item =>
    Object.fromEntries(
      members.filter((member) => columnOf(member) in row).map((member) => [member, row[columnOf(member)]]),
    ) as Item;

  const toColumns = (changes: Changes<Item>): Columns =>
    Object.fromEntries(
      Object.entries(changes)
        .filter(([, value]) => value !== undefined)
        .map(([member, value]) => [
          columnOf(member),
          (asJson.has(member) && value !== null ? JSON.stringify(value) : value) as Knex.Value | null,
        ]),
    );

  /** Runs a statement that writes one row; a reference to nothing is told by its member. */
  const write = async (statement: PromiseLike<Row[]>): Promise<Item> => {
    try {
      const [row] = await statement;
      return toItem(row as Row);
    } catch (error) {
      const { code, constraint } = error as { code?: unknown; constraint?: unknown };
      const broken = references.find((member) => constraint === `${table.name}_${columnOf(member)}_fkey`);
      if (code === FOREIGN_KEY_VIOLATION && broken) throw new NoSuchItemError(broken, { cause: error });
      throw error;
    }
  };

  return {
    list: async (owner, page) => {
      const rows: Row[] = await items(owner).modify(newestFirst(page)).select(listed);
      return rows.map(toItem);
    },
    find: async (owner, id) => {
      const [row] = await items(owner).where({ id }).select<Row[]>(columns);
      return row && toItem(row);
    },
    insert: (owner, { id, at, ...fields }) =>
      write(
        database
          .sql()(table.name)
          .insert({
            ...toColumns(fields as unknown as Changes<Item>),
            ...ofOwner(owner),
            id,
            created_at: at,
            updated_at: at,
          })
          .returning(columns),
      ),
    update: (owner, id, decide, at) =>
      database.transaction(async () => {
        // NO KEY: what refers to the item may be written meanwhile.
        const [row] = await items(owner).where({ id }).forNoKeyUpdate().select<Row[]>(columns);
        if (!row) return undefined;
        const before = toItem(row);
        const changed = toColumns(decide(before));
        if (Object.keys(changed).length === 0) return { before, after: before };
        const statement = items(owner)
          .where({ id })
          .update({ ...changed, updated_at: at })
          .returning(columns);
        return { before, after: await write(statement) };
      }),
    delete: async (owner, id) => (await items(owner).where({ id }).delete()) > 0,
  };
}

const FOREIGN_KEY_VIOLATION = '23503';

const columnOf = (member: string): string => member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
