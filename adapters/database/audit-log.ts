import type { AuditActor } from '../../src/audit/event.ts';
import type { AuditLog } from '../../src/audit/log.ts';
import type { Database } from './database.ts';
import { newestFirst } from './page.ts';

type EventRow = {
  id: string;
  type: string;
  actor_type: AuditActor['type'];
  actor_id: string | null;
  target_id: string | null;
  ip: string | null;
  data: Record<string, unknown>;
  created_at: Date;
};

/** Reads what audit.ts wrote. */
export const createAuditLogReader = (database: Database): AuditLog => ({
  list: async (organizationId, filter, page) => {
    const rows = await database
      .sql()('audit_events')
      .where({ organization_id: organizationId })
      .modify((query) => {
        if (filter.type !== undefined) void query.where('type', filter.type);
        if (filter.actorId !== undefined) void query.where('actor_id', filter.actorId);
        if (filter.targetId !== undefined) void query.where('target_id', filter.targetId);
        if (filter.from !== undefined) void query.where('created_at', '>=', filter.from);
        if (filter.to !== undefined) void query.where('created_at', '<', filter.to);
      })
      .modify(newestFirst(page))
      .select<EventRow[]>();
    return rows.map((row) => ({
      id: row.id,
      type: row.type,
      actor: { type: row.actor_type, ...(row.actor_id === null ? {} : { id: row.actor_id }) },
      ...(row.target_id === null ? {} : { targetId: row.target_id }),
      ...(row.ip === null ? {} : { ip: row.ip }),
      data: row.data,
      createdAt: row.created_at,
    }));
  },
});
