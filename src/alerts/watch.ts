import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Finding, NewAlert } from './alert.ts';
import type { RaiseAlert } from './raise.ts';
import type { AlertReads, Owned } from './reads.ts';
import { burst, newNetwork, refusals, slept, THRESHOLDS } from './rules.ts';
import { expiring, limitWarning } from './warnings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Usage of the last two hours is looked at: calls are written within seconds, and nothing between two looks is missed. */
const LOOK_BACK_MS = 2 * HOUR_MS;
const WARN_DAYS = 30;
/** Of what this process has told already, so that it doesn't ask the database each minute whether it was. */
const MOST_REMEMBERED = 50_000;

/**
 * Looks through usage, keys and quotas for what owners want to be told of, and raises it. Any number of processes may do it
 * at once: the rules find the same, and the alert's row is unique. Rejects when nothing could be looked at; one rule that
 * fails doesn't keep the others from being asked.
 */
export function createWatch(deps: { reads: AlertReads; raise: RaiseAlert; clock: Clock; logger: Logger }) {
  const { reads, clock, logger } = deps;
  const remembered = new Set<string>();

  const raise = async ({ organizationId, environment }: Owned<object>, finding: Finding | undefined) => {
    if (!finding) return;
    const alert: NewAlert = { ...finding, organizationId, environment };
    const key = [organizationId, environment, finding.kind, finding.subject, finding.period].join(' ');
    if (remembered.has(key)) return;
    await deps.raise(alert);
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.add(key);
  };

  const looks: Record<string, (now: Date) => Promise<void>> = {
    activity: async (now) => {
      const from = new Date(now.getTime() - LOOK_BACK_MS);
      const least = {
        requests: THRESHOLDS.burst.leastRequests,
        refused: THRESHOLDS.refusals.leastRefused,
      };
      for await (const trace of reads.activity(from, least)) {
        await raise(trace, burst(trace));
        await raise(trace, refusals(trace));
      }
    },
    networks: async (now) => {
      const since = new Date(now.getTime() - LOOK_BACK_MS);
      for await (const trace of reads.networks(since, THRESHOLDS.slept.days)) {
        await raise(trace, slept(trace, since));
        await raise(trace, newNetwork(trace, since));
      }
    },
    'expiring keys': async (now) => {
      const by = new Date(now.getTime() + WARN_DAYS * DAY_MS);
      for await (const key of reads.expiringKeys(now, by)) await raise(key, expiring(key, now));
    },
    quotas: async (now) => {
      const since = new Date(now.getTime() - LOOK_BACK_MS);
      // After midnight also of the day that has ended: its last minutes were not looked at yet.
      const days = since.getUTCDate() === now.getUTCDate() ? [now] : [since, now];
      for (const day of days) {
        for await (const bucket of reads.daysOfBuckets(day, since)) {
          await raise(bucket, limitWarning(bucket, day));
        }
      }
    },
  };

  return async (): Promise<void> => {
    for (const [what, look] of Object.entries(looks)) {
      try {
        await look(clock());
      } catch (error) {
        logger.warn({ err: error }, `${what} could not be looked at`);
      }
    }
  };
}
