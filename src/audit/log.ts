import type { AuditEvent } from './event.ts';

/** An event as it was written; its type may be one that we no longer write. */
export type LoggedEvent = Omit<AuditEvent, 'type' | 'organizationId' | 'data'> & {
  id: string;
  type: string;
  data: Record<string, unknown>;
  createdAt: Date;
};

export type AuditFilter = {
  type?: string | undefined;
  actorId?: string | undefined;
  targetId?: string | undefined;
  /** Inclusive. */
  from?: Date | undefined;
  /** Exclusive. */
  to?: Date | undefined;
};

/** Reads what `RecordAudit` wrote. */
export type AuditLog = {
  /** Newest first, from below the id `after`; at most `limit`. */
  list(
    organizationId: string,
    filter: AuditFilter,
    page: { limit: number; after: string | undefined },
  ): Promise<LoggedEvent[]>;
};
