import type { Environment } from '../../config/environments.ts';
import type { EventRow } from './audit-log.ts';
import type { UsageRow } from './usage.ts';

/** The overview. */
export type OverviewPages = {
  'console/overview': OverviewPage;
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

/** Of the day, in UTC. */
export type Quota = { label: string; limit: number; used: number; resetAt: string };

/** Something that an owner should look at. */
export type Alert = { title: string; text: string; at: string };
