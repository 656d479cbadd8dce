import type { Folder, FolderFields, FolderStore } from '../../src/resources/folders.ts';
import type { Database } from './database.ts';
import { lockOrganization } from './lock-organization.ts';
import { createResourceStore } from './resource-store.ts';

/** Folders, each in at most one other. Walks up and down end: a folder is never in itself. */
export function createFolderStore(database: Database): FolderStore {
  return {
    ...createResourceStore<Folder, FolderFields>(database, {
      name: 'folders',
      members: ['name', 'parentId'],
      references: ['parentId'],
    }),
    lockTree: ({ organizationId }) => lockOrganization(database, organizationId),
    pathOf: async ({ organizationId, environment }, id) => {
      const { rows } = await database.sql().raw<{ rows: { id: string }[] }>(
        `WITH RECURSIVE path AS (
           SELECT id, parent_id, 1 AS step FROM folders
             WHERE organization_id = ? AND environment = ? AND id = ?
           UNION ALL
           SELECT outer_one.id, outer_one.parent_id, step + 1
             FROM path JOIN folders AS outer_one ON outer_one.id = path.parent_id
         )
         SELECT id FROM path ORDER BY step`,
        [organizationId, environment, id],
      );
      return rows.map((row) => row.id);
    },
    heightOf: async ({ organizationId, environment }, id) => {
      const { rows } = await database.sql().raw<{ rows: [{ height: number }] }>(
        `WITH RECURSIVE levels AS (
           SELECT id, 1 AS level FROM folders
             WHERE organization_id = ? AND environment = ? AND id = ?
           UNION ALL
           SELECT inner_one.id, level + 1
             FROM levels JOIN folders AS inner_one ON inner_one.parent_id = levels.id
         )
         SELECT coalesce(max(level), 0) AS height FROM levels`,
        [organizationId, environment, id],
      );
      return rows[0].height;
    },
  };
}
