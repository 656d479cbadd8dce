import type { AuditEventType } from '../../config/audit-events.ts';
import type { Environment } from '../../config/environments.ts';

export type AuditActor = { type: 'user' | 'app' | 'api_key' | 'operator' | 'system'; id?: string };

/** The audit log: who changed what, written in the transaction of the change itself. */
export type AuditEvent = {
  type: AuditEventType;
  /** Absent for what belongs to a person alone. */
  organizationId?: string;
  /** Of the data or credential that it is about; absent for what concerns the whole organization. */
  environment?: Environment;
  actor: AuditActor;
  targetId?: string;
  /** The client's address, as far as there is a request. */
  ip?: string;
  /** Names and figures that help a reader; never a secret. */
  data?: Record<string, unknown>;
};

/** Joins the open transaction. Rejects when the event can't be written: the change must then not happen either. */
export type RecordAudit = (event: AuditEvent) => Promise<void>;
