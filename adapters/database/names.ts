import type { NamesOf } from '../../src/console/names.ts';
import type { Database } from './database.ts';

const NAMES = `
  SELECT id, name FROM users WHERE id = ANY(:ids)
  UNION ALL SELECT id, name FROM apps WHERE id = ANY(:ids)
  UNION ALL SELECT id, name FROM api_keys WHERE id = ANY(:ids)
  UNION ALL SELECT id, name FROM organizations WHERE id = ANY(:ids)`;

/** Names by id. Does NOT look whose they are: ask for ids that stand in the asker's own records. */
export const createNames =
  (database: Database): NamesOf =>
  async (wanted) => {
    const ids = [...new Set(wanted.filter((id) => typeof id === 'string'))];
    if (ids.length === 0) return () => undefined;
    const { rows } = await database.sql().raw<{ rows: { id: string; name: string }[] }>(NAMES, { ids });
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return (id) => (typeof id === 'string' ? names.get(id) : undefined);
  };
