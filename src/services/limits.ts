import { ask } from '../limits/ask.ts';
import { createLimiter } from '../limits/limiter.ts';
import { createLimitsOverview } from '../limits/overview.ts';
import { limitsOf } from '../limits/policy.ts';
import { recountDay } from '../limits/recount.ts';
import { createUsageMeter } from '../usage/meter.ts';
import { createReplay } from '../usage/replay.ts';
import { createUsageSweep } from '../usage/sweep.ts';
import { createTryPlan } from '../usage/try-plan.ts';
import type { Counting } from './counting.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** What is allowed, counted by `counting`, and what was used of it, which the database keeps. */
export function limitServices(
  { config, logger, metrics, clock, background }: Foundation,
  { usage, usageCleaning, organizations, readMinutes }: Stores,
  { buckets, createAttemptLimit, health }: Counting,
) {
  return {
    createAttemptLimit,
    limiter: createLimiter({
      buckets,
      ...(config.redisUrl
        ? { recordedToday: (caller, capId) => usage.allowedOnDay(caller, clock(), capId) }
        : {}),
      inBackground: background.run,
    }),
    /** For a process that counts by itself: see src/limits/recount.ts. Redis keeps its counts over our restarts. */
    recountDay: async () => {
      if (config.redisUrl) return;
      await recountDay({ recorded: await usage.allAllowedOnDay(clock()), buckets });
    },
    limitsOverview: createLimitsOverview({ buckets, planOf: organizations.planOf }),
    limitsHealth: health,
    usageMeter: createUsageMeter({
      add: usage.add,
      countLost: metrics.countLostUsage,
      clock,
      logger,
    }),
    tryPlan: createTryPlan({
      readMinutes,
      replayOf: (figures) => createReplay([{ limits: limitsOf(figures), counts: {} }], ask),
    }),
    sweepUsage: createUsageSweep({ cleaning: usageCleaning, retention: config.usageRetentionDays, clock }),
  };
}
