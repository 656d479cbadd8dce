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
  'console/apps': AppsPage;
  'console/app': AppPage;
  'console/app-form': AppFormPage;
  'console/app-secret-form': AppSecretFormPage;
  'console/members': MembersPage;
  'console/member': MemberPage;
  'console/invite': InvitePage;
  'console/settings': SettingsPage;
  'console/usage': UsagePage;
  'console/try': TryPage;
  'console/try-code': TryCodePage;
  'console/try-token': TryTokenPage;
  'console/webhooks': WebhooksPage;
  'console/webhook': WebhookPage;
  'console/webhook-form': WebhookFormPage;
  'console/delivery': DeliveryPage;
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
  /** The last 24 hours. */
  rows: readonly UsageRow[];
  total: Omit<UsageRow, 'at'>;
  alerts: readonly Alert[];
  quotas: readonly Quota[];
  usageUrl: string;
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
  /** `may`: in words; `createdBy`: undefined for somebody who is gone. */
  keys: readonly (KeyRow & { may: string; createdBy: string | undefined })[];
  /** Those that work, or those that have ended. */
  ended: boolean;
  lists: readonly Link[];
  nextUrl: string | undefined;
  /** Absent where the person's role can't make keys. */
  newUrl: string | undefined;
  curl: string;
};

/** From where a key was used of late. */
export type Caller = { network: string; lastSeenAt: string };

export type KeyPage = {
  key: KeyRow & {
    /** Empty for anywhere. */
    from: { addresses: readonly string[]; byOrganization: boolean };
    limits: readonly { label: string; value: number }[];
    /** In the last 24 hours. */
    requests: number;
    createdBy: string | undefined;
    callers: readonly Caller[];
    historyUrl: string;
  };
  /** The key that this one replaces, while somebody may still be using it. */
  old?: (KeyRow & { requests: number; callers: readonly Caller[] }) | undefined;
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

/** Of one list to choose from: what stands under one heading. */
export type ChoiceGroup = { label: string; choices: readonly Choice[] };

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
  /** The organization's, which holds for keys without a list of their own. */
  defaultAllowlist: readonly string[];
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

export type AppRow = {
  id: string;
  url: string;
  name: string;
  kind: string;
  logoUrl: string | undefined;
  createdAt: string;
};

type AppsPage = {
  environment: Environment;
  apps: readonly AppRow[];
  nextUrl: string | undefined;
  newUrl: string | undefined;
};

type AppPage = {
  app: AppRow & {
    scopes: readonly string[];
    redirectUris: readonly string[];
    postLogoutRedirectUris: readonly string[];
    requirePkce: boolean;
    limits: readonly { label: string; value: number }[];
    /** Where its keys are, in place of a secret. */
    keys: string | undefined;
    homepageUrl: string | undefined;
    privacyUrl: string | undefined;
    createdBy: string | undefined;
    historyUrl: string;
  };
  endpoints: readonly { label: string; url: string }[];
  /** Absent for apps that can keep none. */
  secrets:
    | readonly {
        last4: string;
        createdAt: string;
        expiresAt: string | undefined;
        lastUsedAt: string | undefined;
        deleteUrl: string | undefined;
      }[]
    | undefined;
  saved: boolean;
  manage?:
    | { editUrl: string; deleteUrl: string; tryUrl: string; addSecretUrl: string | undefined }
    | undefined;
};

export type AppValues = {
  name: string;
  kind: string;
  redirectUris: string;
  postLogoutRedirectUris: string;
  requirePkce: boolean;
  perMinute: string;
  perDay: string;
  burst: string;
  jwksUri: string;
  homepageUrl: string;
  logoUrl: string;
  privacyUrl: string;
};

type AppFormPage = FormOf<AppValues> & {
  environment: Environment;
  /** The name of the app that is changed; absent for a new one. */
  editing?: string | undefined;
  kinds: readonly Choice[];
  scopes: readonly ScopeGroup[];
};

type AppSecretFormPage = FormOf<{ expiresOn: string }> & { app: string };

export type MemberRow = {
  url: string;
  name: string | undefined;
  email: string;
  role: string;
  invited: boolean;
  isSelf: boolean;
  since: string;
};

type MembersPage = {
  members: readonly MemberRow[];
  nextUrl: string | undefined;
  inviteUrl: string | undefined;
  /** What was done a moment ago. */
  done: string | undefined;
};

type MemberPage = FormOf<{ role: string }> & {
  member: MemberRow;
  /** Those that the reader may give; empty where they may not change this one. */
  roles: readonly Choice[];
  removeUrl: string | undefined;
};

type InvitePage = FormOf<{ email: string; role: string }> & { roles: readonly Choice[] };

export type SettingsValues = {
  name: string;
  leakedSecrets: string;
  requireSecondFactor: boolean;
  ipAllowlist: string;
};

type SettingsPage = FormOf<SettingsValues> & {
  leakChoices: readonly Choice[];
  /** From which address the reader came, to be copied. */
  ownAddress: string;
  mayChange: boolean;
  saved: boolean;
  organization: { id: string; plan: string; createdAt: string };
  limits: readonly { label: string; perSecond: number; perMinute: number; perDay: number }[];
  leaveUrl: string;
};

/** One step of time. */
export type UsageRow = {
  at: string;
  requests: number;
  /** By the limits; among the client errors too. */
  refused: number;
  clientErrors: number;
  serverErrors: number;
};

type Link = { label: string; url: string; current: boolean };

type UsagePage = {
  environment: Environment;
  /** As in "in the last 7 days". */
  range: string;
  ranges: readonly Link[];
  total: Omit<UsageRow, 'at'>;
  byDay: boolean;
  rows: readonly UsageRow[];
  by: string;
  groupings: readonly Link[];
  /** `group`: as the API has it; `name`: what it is called, where it has one. */
  groups: readonly (Omit<UsageRow, 'at'> & { group: string; name: string | undefined })[];
  /** Whether there are groups beyond these. */
  more: boolean;
};

export type WebhookRow = {
  pageUrl: string;
  /** Where it sends to. */
  url: string;
  description: string | undefined;
  events: readonly string[];
  active: boolean;
  disabledReason: string | undefined;
  /** Until when the secret before signs too. */
  oldSecretUntil: string | undefined;
  createdAt: string;
};

type WebhooksPage = {
  environment: Environment;
  webhooks: readonly WebhookRow[];
  nextUrl: string | undefined;
  newUrl: string | undefined;
};

export type DeliveryRow = {
  pageUrl: string;
  id: string;
  event: string;
  status: string;
  attempts: number;
  /** The status of the newest answer, or why there was none; undefined before the first attempt. */
  answer: number | string | undefined;
  at: string;
};

type WebhookPage = {
  webhook: WebhookRow;
  deliveries: readonly DeliveryRow[];
  nextUrl: string | undefined;
  notice: string | undefined;
  manage?:
    | {
        editUrl: string;
        deleteUrl: string;
        testAction: string;
        statusAction: string;
        rotateAction: string;
      }
    | undefined;
};

export type WebhookValues = { url: string; description: string };

/** Events by what they are about. */
export type EventGroup = {
  of: string;
  ticks: readonly { event: string; label: string; checked: boolean }[];
};

type WebhookFormPage = FormOf<WebhookValues> & {
  environment: Environment;
  editing: boolean;
  events: readonly EventGroup[];
};

type DeliveryPage = {
  delivery: DeliveryRow;
  webhookUrl: string;
  request: { headers: string; body: string };
  attempts: readonly { at: string; url: string; answer: string; body: string; durationMs: number }[];
  nextAttemptAt: string | undefined;
  redeliverAction: string | undefined;
};

/** Of the day, in UTC. */
export type Quota = { label: string; limit: number; used: number; resetAt: string };

type TryPage = {
  app: string;
  appUrl: string;
  isService: boolean;
  action: string;
  redirectUri: string;
  /** Adds the redirect URI to the app; undefined where it has it, or needs none. */
  registerAction: string | undefined;
  scopes: readonly ScopeGroup[];
  /** What can't be shown of this app. */
  cannot: string | undefined;
  error: string | undefined;
  notice: string | undefined;
};

type Parameter = { name: string; value: string };

type TryCodePage = {
  app: string;
  appUrl: string;
  againUrl: string;
  sent: readonly Parameter[];
  came: readonly Parameter[];
  checks: readonly { label: string; good: boolean }[];
  /** Absent where there is no code to redeem. */
  exchange: { action: string; code: string } | undefined;
};

type TryTokenPage = {
  app: string;
  appUrl: string;
  againUrl: string;
  isService: boolean;
  request: string;
  status: number;
  answer: string;
  /** Laid out as JSON; undefined when there was none. */
  token: { value: string; header: string; claims: string } | undefined;
  curl: string | undefined;
};

/** Something that an owner should look at. */
export type Alert = { title: string; text: string; at: string };
