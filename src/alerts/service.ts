import type { Logger } from '../kernel/log.ts';

/** How often usage and keys are looked through. */
const LOOK_MS = 60_000;
/** How soon an alert is mailed. */
const MAIL_MS = 2_000;

/**
 * Looks and mails by the clock, in any number of processes, until it is stopped; each waits for its own last turn, which ends
 * early then.
 */
export function startAlerts(deps: {
  look(stopping: AbortSignal): Promise<void>;
  mail(stopping: AbortSignal): Promise<void>;
  logger: Logger;
}): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const turns = [every(LOOK_MS, deps.look), every(MAIL_MS, deps.mail)];
  return {
    stop: async () => {
      stopping.abort();
      for (const turn of turns) clearInterval(turn.timer);
      await Promise.all(turns.map((turn) => turn.last()));
    },
  };

  function every(ms: number, work: (stopping: AbortSignal) => Promise<void>) {
    let last = Promise.resolve();
    let isRunning = false;
    const turn = () => {
      if (isRunning) return;
      isRunning = true;
      last = work(stopping.signal)
        .catch((error: unknown) => deps.logger.warn({ err: error }, 'alerts: a turn failed'))
        .finally(() => {
          isRunning = false;
        });
    };
    turn(); // what came about while no process ran is told at once
    const timer = setInterval(turn, ms).unref();
    return { timer, last: () => last };
  }
}
