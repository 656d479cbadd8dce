import type { AppPages } from './console/apps.ts';
import type { AuditLogPages } from './console/audit-log.ts';
import type { KeyPages } from './console/keys.ts';
import type { MemberPages } from './console/members.ts';
import type { OrganizationPages } from './console/organization.ts';
import type { OverviewPages } from './console/overview.ts';
import type { SharedPages } from './console/questions.ts';
import type { TryPages } from './console/try.ts';
import type { UsagePages } from './console/usage.ts';
import type { WebhookPages } from './console/webhooks.ts';

/** What the pages of the console need, each subject in its own file. Times are ISO 8601; errors stand by their fields' names. */
export type ConsolePages = SharedPages &
  OverviewPages &
  KeyPages &
  AppPages &
  TryPages &
  WebhookPages &
  MemberPages &
  UsagePages &
  AuditLogPages &
  OrganizationPages;
