import { setTimeout } from 'node:timers/promises';
import type { Logger } from './log.ts';

/** What is past its time in one place. Several processes may sweep at once: what one has in hand the others leave alone. */
export type Leftovers = {
  /** As the log calls them: "OAuth records". */
  of: string;
  /** Clears at most `most` of them, and resolves with how many those were. */
  clear(most: number): Promise<number>;
};

export type Sweep = (stopping?: AbortSignal) => Promise<void>;

/**
 * Clears what is past its time, a batch of each in turn, until nothing is left or `budgetMs` is over: as much as comes in goes,
 * whatever the rate, and the next turn goes on where this one ended. After each batch it rests for as long as that took, so that
 * requests have the database for at least half of the time. One that fails is told of, and keeps the others from nothing.
 */
export function createSweep(
  leftovers: readonly Leftovers[],
  { logger, most, budgetMs }: { logger: Logger; most: number; budgetMs: number },
): Sweep {
  const clearSome = async ({ of, clear }: Leftovers): Promise<number> => {
    try {
      return await clear(most);
    } catch (error) {
      logger.warn({ err: error }, `${of} that are past their time could not be cleared`);
      return 0;
    }
  };

  return async (stopping) => {
    const startedMs = performance.now();
    let full: readonly Leftovers[] = leftovers;
    while (full.length > 0) {
      const stillFull: Leftovers[] = [];
      for (const one of full) {
        const begunMs = performance.now();
        if (stopping?.aborted || begunMs - startedMs > budgetMs) return;
        if ((await clearSome(one)) >= most) stillFull.push(one);
        await setTimeout(performance.now() - begunMs);
      }
      full = stillFull;
    }
  };
}
