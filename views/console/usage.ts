import type { Environment } from '../../config/environments.ts';
import type { Link } from './forms.ts';

/** Usage. */
export type UsagePages = {
  'console/usage': UsagePage;
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
