import type { Environment } from '../../config/environments.ts';
import type { FieldError } from '../kernel/errors.ts';

export const GROUPINGS = ['credential', 'scope', 'status', 'hour', 'day'] as const;

export type Grouping = (typeof GROUPINGS)[number];

/** From the start of a UTC hour (inclusive) to the start of another (exclusive). */
export type UsageRange = { from: Date; to: Date; groupBy: Grouping };

/** What is asked for: of one organization, and of one environment's data. */
export type UsageQuery = UsageRange & { organizationId: string; environment: Environment };

/** `group`: the credential, scope or status; an hour as 2026-01-15T10:00:00.000Z, a day as 2026-01-15, both in UTC. */
export type UsageGroup = {
  group: string;
  requests: number;
  /** By the limits. They are among the client errors too. */
  refused: number;
  /** Answered 4xx. */
  clientErrors: number;
  /** Answered 5xx. */
  serverErrors: number;
};

export type UsageReports = {
  /**
   * Sums over the hours of the range and the days that were made of them: such a day counts where its start lies in the
   * range, as an hour that begins there. Times in their order, all else by the most requests; at most `most` groups, and
   * none without a request.
   */
  sum(query: UsageQuery, most: number): Promise<UsageGroup[]>;
};

/** Networks that a credential was used from: an address, of IPv6 the /64. */
export type CallerReports = {
  /** Since that time, the latest first; at most `most`. */
  of(
    credential: { organizationId: string; environment: Environment; id: string },
    since: Date,
    most: number,
  ): Promise<{ network: string; lastSeenAt: Date }[]>;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const DEFAULT_DAYS = 30;
const MOST_DAYS = 400;
const MOST_DAYS_BY_HOUR = 31;

/**
 * The range that a caller means: by default the thirty days that end today, with the hour that has begun. Times in an
 * hour are taken to its ends, so that it is counted whole.
 */
export function resolveRange(
  asked: { from?: Date | undefined; to?: Date | undefined; groupBy: Grouping },
  now: Date,
): UsageRange | { faults: FieldError[] } {
  const { groupBy } = asked;
  const toMs = Math.ceil((asked.to ?? new Date(now.getTime() + 1)).getTime() / HOUR_MS) * HOUR_MS;
  const fromMs = asked.from
    ? Math.floor(asked.from.getTime() / HOUR_MS) * HOUR_MS
    : (Math.ceil(toMs / DAY_MS) - DEFAULT_DAYS) * DAY_MS;
  const fault = (path: string, message: string) => ({ faults: [{ path, message }] });
  if (fromMs >= toMs) return fault('from', 'must be before `to`, which is now unless it is given');
  const mostDays = groupBy === 'hour' ? MOST_DAYS_BY_HOUR : MOST_DAYS;
  if (toMs - fromMs > mostDays * DAY_MS) {
    return fault('from', `must be at most ${mostDays} days before \`to\` when grouped by ${groupBy}`);
  }
  return { from: new Date(fromMs), to: new Date(toMs), groupBy };
}
