import { z } from 'zod';
import { notFound } from '../kernel/errors.ts';
import { idOf, text, timestamp } from '../kernel/schemas.ts';
import { invalid } from './records.ts';
import type { Owner, Resource, ResourceStore, Stored } from './resource.ts';

/** Holds prompts and other folders. When it goes, what was in it stays, at the top. */
export type Folder = Stored & { name: string; parentId: string | null };

export type FolderStore = ResourceStore<Folder, FolderFields> & {
  /** Until the transaction ends, nobody else who calls this for the same owner goes on. */
  lockTree(owner: Owner): Promise<void>;
  /** The folder, the one that it is in, and so on to the top; empty where there is no such folder. */
  pathOf(owner: Owner, id: string): Promise<string[]>;
  /** How many levels it has with all that is in it: 1 without folders, 0 where there is no such folder. */
  heightOf(owner: Owner, id: string): Promise<number>;
};

const DEEPEST = 10;

const fields = { name: text(1, 200), parentId: idOf('fld').nullable() };
const create = z.strictObject({ ...fields, parentId: fields.parentId.default(null) });
const change = z.strictObject(fields).partial();

export type FolderFields = z.output<typeof create>;
type FolderChange = z.output<typeof change>;

const object = z
  .object({
    object: z.literal('folder'),
    id: idOf('fld'),
    name: z.string(),
    parentId: idOf('fld').nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Folder' });

/**
 * Why a folder can't be there, if it can't. `path`: of the folder that it is to be in, from that to the top. `moved`: the
 * folder, unless it is new.
 */
export function placeFault(
  path: readonly string[],
  moved: { id: string; height: number } = { id: '', height: 1 },
): string | undefined {
  if (path.includes(moved.id)) return 'must not be the folder itself or one in it';
  if (path.length + moved.height > DEEPEST) return `must leave at most ${DEEPEST} levels of folders`;
  return undefined;
}

/** The tree can't be told by one row: it is looked at before a folder is put somewhere, and held until that is done. */
export const folders = (
  tree: Pick<FolderStore, 'lockTree' | 'pathOf' | 'heightOf'>,
): Resource<Folder, FolderFields, FolderChange> => ({
  name: 'folder',
  path: '/v1/folders',
  idPrefix: 'fld',
  scopes: { read: 'prompts:read', write: 'prompts:write' },
  object,
  create,
  change,
  present: ({ id, name, parentId, createdAt, updatedAt }): z.input<typeof object> => ({
    object: 'folder',
    id,
    name,
    parentId,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }),
  check: async (owner, id, { parentId }) => {
    if (!parentId) return;
    await tree.lockTree(owner);
    const moved = id === undefined ? undefined : { id, height: await tree.heightOf(owner, id) };
    if (moved?.height === 0) throw notFound();
    const fault = placeFault(await tree.pathOf(owner, parentId), moved);
    if (fault !== undefined) throw invalid('parentId', fault);
  },
});
