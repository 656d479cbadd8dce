import type { Knex } from 'knex';

/**
 * One page of a list, newest first: ids grow with time. For `modify` of a query; `column` says which id where several
 * tables have one. It reads as many rows as it is told: whoever wants to know whether there are more asks for one more.
 */
export const newestFirst =
  ({ limit, after }: { limit: number; after: string | number | undefined }, column = 'id') =>
  (query: Knex.QueryBuilder): void => {
    if (after !== undefined) void query.where(column, '<', after);
    void query.orderBy(column, 'desc').limit(limit);
  };
