import type { RecordAudit } from '../../src/audit/event.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Database } from './database.ts';

/** Writes into the open transaction, so that a change and its event stand or fall together. */
export function createAuditLog(database: Database): RecordAudit {
  return async (event) => {
    await database
      .sql()('audit_events')
      .insert({
        id: newId('aud'),
        organization_id: event.organizationId,
        type: event.type,
        actor_type: event.actor.type,
        actor_id: event.actor.id,
        target_id: event.targetId,
        ip: event.ip,
        data: JSON.stringify({
          ...event.data,
          ...(event.environment ? { environment: event.environment } : {}),
        }),
      });
  };
}
