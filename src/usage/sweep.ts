import type { Clock } from '../kernel/clock.ts';

/** How many days what is kept. After `hours` counts are kept by the day, after `days` not at all. */
export type UsageRetention = { hours: number; days: number; seconds: number };

/**
 * Each works on at most `most` rows, and resolves with how many there were. Several processes may call it at once: what
 * one has in hand the others leave alone, and nothing is moved twice.
 */
export type UsageCleaning = {
  /** Moves hours before a UTC day's start into their days. */
  rollUp(before: Date, most: number): Promise<number>;
  dropDays(before: Date, most: number): Promise<number>;
  dropMinutes(before: Date, most: number): Promise<number>;
  dropNetworks(before: Date, most: number): Promise<number>;
  /** Of processes that have written nothing since. */
  dropWriters(before: Date, most: number): Promise<number>;
};

const DAY_MS = 86_400_000;

/** Far above the 90 days of sleep after which a credential's use is unusual. */
const NETWORKS_DAYS = 180;
/** Long past the time in which a process would repeat a batch. */
const WRITERS_DAYS = 7;

/** Small enough for the time that a statement has; so many of them in one sweep that a sweep ends. */
const MOST_ROWS = 5_000;
const MOST_STATEMENTS = 50;

/** Rolls up and drops what is old by the settings. A day is rolled up whole, once all of it is old. */
export function createUsageSweep(deps: {
  cleaning: UsageCleaning;
  retention: UsageRetention;
  clock: Clock;
}): () => Promise<void> {
  const { cleaning, retention, clock } = deps;
  return async () => {
    const today = Math.floor(clock().getTime() / DAY_MS);
    const before = (days: number) => new Date((today - days) * DAY_MS);
    const all = async (clean: (before: Date, most: number) => Promise<number>, days: number) => {
      for (let statements = 0; statements < MOST_STATEMENTS; statements++) {
        if ((await clean(before(days), MOST_ROWS)) < MOST_ROWS) return;
      }
    };
    await all(cleaning.rollUp, retention.hours);
    await all(cleaning.dropDays, retention.days);
    await all(cleaning.dropMinutes, retention.seconds);
    await all(cleaning.dropNetworks, NETWORKS_DAYS);
    await all(cleaning.dropWriters, WRITERS_DAYS);
  };
}
