import type { Environment } from '../../config/environments.ts';

/**
 * The audit log: who changed what, written in the transaction of the change itself.
 * A closed list: an event that isn't here can't be written, and each has one meaning.
 */
export type AuditEventType =
  | 'organization.created'
  | 'organization.updated'
  | 'organization.plan_changed'
  | 'member.invited'
  | 'member.invitation_withdrawn'
  | 'member.joined'
  | 'member.role_changed'
  | 'member.removed'
  | 'user.signed_up'
  | 'user.email_confirmed'
  | 'user.password_reset'
  | 'user.password_changed'
  | 'user.updated'
  | 'user.email_changed'
  | 'user.session_ended'
  | 'user.sessions_ended'
  | 'user.second_factor_added'
  | 'user.second_factor_removed'
  | 'user.recovery_codes_renewed'
  | 'user.deactivated'
  | 'user.reactivated'
  | 'app.created'
  | 'app.registered'
  | 'app.updated'
  | 'app.deleted'
  | 'app.resource_server_marked'
  | 'app.resource_server_unmarked'
  | 'app.secret_created'
  | 'app.secret_deleted'
  | 'api_key.created'
  | 'api_key.updated'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'consent.granted'
  | 'grant.withdrawn'
  | 'token.replayed'
  | 'token.revoked'
  | 'signing_key.activated'
  | 'signing_key.dropped'
  | 'prompt.created'
  | 'prompt.updated'
  | 'prompt.deleted'
  | 'version.created'
  | 'folder.created'
  | 'folder.updated'
  | 'folder.deleted'
  | 'report.created'
  | 'report.updated'
  | 'report.completed'
  | 'report.failed'
  | 'report.deleted'
  | 'evaluation.created'
  | 'evaluation.updated'
  | 'evaluation.completed'
  | 'evaluation.failed'
  | 'evaluation.deleted'
  | 'dataset.created'
  | 'dataset.updated'
  | 'dataset.deleted'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'webhook.secret_rotated'
  | 'webhook.disabled';

export type AuditActor = { type: 'user' | 'app' | 'api_key' | 'operator' | 'system'; id?: string };

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
