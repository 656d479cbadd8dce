import type { ChoiceGroup, FormOf } from './forms.ts';

/** The audit log. */
export type AuditLogPages = {
  'console/audit-log': AuditLogPage;
};

/** What happened, in words. */
export type EventRow = {
  id: string;
  type: string;
  what: string;
  actor: string;
  actorId: string | undefined;
  target: string | undefined;
  ip: string | undefined;
  at: string;
};

export type AuditFilterValues = { type: string; actorId: string; targetId: string; from: string; to: string };

type AuditLogPage = FormOf<AuditFilterValues> & {
  events: readonly EventRow[];
  filtered: boolean;
  types: readonly ChoiceGroup[];
  /** Whose events alone are shown. */
  actorName: string | undefined;
  /** The thing that they are about. */
  targetName: string | undefined;
  nextUrl: string | undefined;
  exports: readonly { label: string; url: string }[];
};
