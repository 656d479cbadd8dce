import { randomUUID } from 'node:crypto';
import type { MeteredCall } from '../http/route.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { createTally, type MeteredPrincipalCall } from './tally.ts';
import type { UsageBatch, UsageStore } from './usage.ts';

/** Of each kind of row, between two flushes: with the batch that is being written, some 20 MB at the most. */
const MOST_ROWS = 10_000;

export type UsageMeter = {
  /** Counts in memory: a microsecond or two. A call without a principal belongs to nobody, and isn't counted. */
  count(call: MeteredCall): void;
  /** Writes what was counted before it was asked. Never rejects: what can't be written yet is kept. */
  flush(): Promise<void>;
};

/**
 * Counts calls in memory, to be flushed about once a second by its owner. A crash (kill -9) loses at most what was counted
 * since the last flush that could be written began: a second's calls, unless the database doesn't answer. Nothing is
 * counted twice: a batch of which it isn't known whether it was written is repeated under its number.
 *
 * Bounded in memory (see tally.ts): detail is given up first; calls that aren't counted at all are counted in the log, and
 * `countLost` is told of each.
 */
export function createUsageMeter(deps: {
  add: UsageStore['add'];
  countLost(): void;
  clock: Clock;
  logger: Logger;
  mostRows?: number;
}): UsageMeter {
  const { add, countLost, clock, logger, mostRows = MOST_ROWS } = deps;
  const writerId = randomUUID();
  let batches = 0;
  let tally = createTally(mostRows);
  let lost = 0;
  let unwritten: UsageBatch | undefined;

  const nextBatch = (): UsageBatch | undefined => {
    const hours = tally.hours();
    if (hours.length === 0) return undefined;
    const batch = {
      writerId,
      number: ++batches,
      hours,
      minutes: tally.minutes(),
      networks: tally.networks(),
    };
    tally = createTally(mostRows);
    if (lost > 0) logger.error({ lost }, 'calls were not counted: too much usage waited to be written');
    lost = 0;
    return batch;
  };

  /** What is kept from an earlier time first. */
  const write = async (): Promise<void> => {
    for (let batchesToWrite = unwritten ? 2 : 1; batchesToWrite > 0; batchesToWrite--) {
      unwritten ??= nextBatch();
      if (!unwritten) return;
      try {
        await add(unwritten);
        unwritten = undefined;
      } catch (error) {
        logger.warn({ err: error }, 'usage could not be written yet');
        return;
      }
    }
  };

  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    running = write().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    count: (call) => {
      if (!hasPrincipal(call) || tally.count(call, clock())) return;
      lost++;
      countLost();
    },
    flush: () => {
      if (!running) return start();
      // All who ask while one runs share the next, which begins after they asked.
      next ??= running.then(() => {
        next = undefined;
        return start();
      });
      return next;
    },
  };
}

const hasPrincipal = (call: MeteredCall): call is MeteredPrincipalCall => call.principal !== undefined;
