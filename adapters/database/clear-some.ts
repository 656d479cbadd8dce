import type { Database } from './database.ts';

/**
 * Deletes at most `most` rows of a table for which `condition` holds, and says how many. Rows that another transaction has in
 * hand are left for the next time: nobody waits for this, and this waits for nobody. `key`: the table's primary key.
 */
export async function clearSome(
  database: Database,
  {
    table,
    key,
    condition,
    bindings = {},
  }: { table: string; key: string; condition: string; bindings?: object },
  most: number,
): Promise<number> {
  const { rowCount } = await database.sql().raw<{ rowCount: number }>(
    `WITH past AS MATERIALIZED (
       SELECT ${key} FROM ${table} AS t WHERE ${condition} LIMIT :most FOR UPDATE SKIP LOCKED)
     DELETE FROM ${table} USING past WHERE ${table}.${key} = past.${key}`,
    { ...bindings, most },
  );
  return rowCount;
}
