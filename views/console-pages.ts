import type { Environment } from '../config/environments.ts';
import type { ScopeLevel } from '../config/scopes.ts';

/** What the pages of the console need. Times are ISO 8601; errors stand by their fields' names. */
export type ConsolePages = {
  'console/overview': OverviewPage;
  'console/keys': KeysPage;
  'console/key': KeyPage;
  'console/key-form': KeyFormPage;
  'console/confirm': ConfirmPage;
  'console/secret': SecretPage;
  'console/organization-form': OrganizationFormPage;
  'console/audit-log': AuditLogPage;
};

export type Errors = Readonly<Record<string, string>>;

/** A form as it is shown, the first time or again. */
export type FormOf<Values> = {
  action: string;
  values: Values;
  errors: Errors;
  /** What is wrong with the whole. */
  notice?: string | undefined;
  cancelUrl: string;
};

type OverviewPage = {
  organization: string;
  environment: Environment;
  /** The steps that are left to a first request; empty when all are done. */
  curl: string;
  hasKeys: boolean;
  newKeyUrl?: string | undefined;
  events: readonly EventRow[];
  auditUrl: string;
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

export type KeyRow = {
  id: string;
  url: string;
  name: string;
  /** As it begins and ends: "pr_live_…4x7Q". */
  mask: string;
  status: 'active' | 'expiring' | 'expired' | 'revoked';
  scopes: readonly string[];
  createdAt: string;
  expiresAt: string | undefined;
  lastUsedAt: string | undefined;
  lastUsedIp: string | undefined;
};

type KeysPage = {
  environment: Environment;
  keys: readonly KeyRow[];
  nextUrl: string | undefined;
  /** Absent where the person's role can't make keys. */
  newUrl: string | undefined;
  curl: string;
};

type KeyPage = {
  key: KeyRow & {
    ipAllowlist: readonly string[];
    limits: readonly { label: string; value: number }[];
    createdBy: string | undefined;
  };
  /** The key that this one replaces, while somebody may still be using it. */
  old?: KeyRow | undefined;
  saved: boolean;
  /** Absent where there is nothing to do, or the person may not. */
  manage?:
    | {
        editUrl: string;
        revokeUrl: string;
        rotate: FormOf<{ grace: string }> & { graces: readonly Choice[] };
      }
    | undefined;
};

export type Choice = { value: string; label: string; hint?: string | undefined };

/** Scopes by what they are of: "Prompts", with its levels. */
export type ScopeGroup = {
  of: string;
  ticks: readonly {
    scope: string;
    label: string;
    level: ScopeLevel;
    checked: boolean;
    /** The person can't give it. */
    disabled: boolean;
  }[];
};

export type KeyValues = {
  name: string;
  preset: string;
  expiresOn: string;
  ipAllowlist: string;
  perMinute: string;
  perDay: string;
  burst: string;
};

type KeyFormPage = FormOf<KeyValues> & {
  environment: Environment;
  /** The name of the key that is changed; absent for a new one. */
  editing?: string | undefined;
  presets: readonly Choice[];
  scopes: readonly ScopeGroup[];
  /** The first day that a key may end on. */
  tomorrow: string;
};

/** A question before something that can't be undone. */
type ConfirmPage = {
  title: string;
  paragraphs: readonly string[];
  action: string;
  submit: string;
  cancelUrl: string;
  notice?: string | undefined;
};

/** A secret, shown this once. */
type SecretPage = {
  title: string;
  lead: string;
  label: string;
  value: string;
  /** The variable that it is kept in. */
  variable: string;
  notes: readonly string[];
  curl?: string | undefined;
  /** Further values that belong to it, such as a client id. */
  facts: readonly { label: string; value: string }[];
  doneUrl: string;
};

type OrganizationFormPage = FormOf<{ name: string }> & { first: boolean };

export type AuditFilterValues = { type: string; actorId: string; from: string; to: string };

type AuditLogPage = FormOf<AuditFilterValues> & {
  events: readonly EventRow[];
  filtered: boolean;
  /** Whose events alone are shown. */
  actorName: string | undefined;
  nextUrl: string | undefined;
  exports: readonly { label: string; url: string }[];
};
