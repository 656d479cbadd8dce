import type { Logger } from './log.ts';

/** Work that an answer doesn't wait for, and that a stopping process does. */
export type Background = {
  run(work: () => Promise<void>): void;
  /** Resolves when all that was started has ended. */
  drained(): Promise<void>;
};

export function createBackground(logger: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const promise = work()
        .catch((error: unknown) => logger.error({ err: error }, 'work in the background failed'))
        .finally(() => running.delete(promise));
      running.add(promise);
    },
    drained: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
