import { randomUUID } from 'node:crypto';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Attempt, Claimed, DeliveryQueue, Lane, Outcome } from './delivery.ts';
import { freeSlots, LANES, type UnderWay } from './lanes.ts';
import { outcomeOf } from './outcome.ts';
import type { Sent } from './send.ts';

/** How soon a new event is seen, by a process that has nothing else to send. */
const POLL_MS = 500;
/** Deliveries that end within so many milliseconds make way for others together. */
const GATHER_MS = 20;
/** How soon another process takes over what a dead one had. Renewed while an attempt lasts. */
const LEASE_SECONDS = 15;
const RENEW_MS = 5_000;
/** How long a stopping worker waits for what is under way; the rest is given back to be sent again. */
const DRAIN_MS = 8_000;

export type WorkerDeps = {
  queue: DeliveryQueue;
  /** Never rejects; ends early when `signal` says so. */
  send(delivery: Claimed, signal: AbortSignal): Promise<Sent>;
  /**
   * Writes an attempt down, and disables the webhook where the outcome says so, in one transaction. False, and nothing is
   * written, when another worker has taken the delivery over.
   */
  conclude(worker: string, delivery: Claimed, attempt: Attempt, outcome: Outcome): Promise<boolean>;
  metrics: DeliveryMetrics;
  clock: Clock;
  random(): number;
  logger: Logger;
};

/** unwritten: what became of it could not be noted, or was another's to note; it is made again. */
type Result = 'succeeded' | 'retried' | 'given_up' | 'unwritten';

/** What an operator watches. */
export type DeliveryMetrics = {
  begun(lane: Lane, waitedSeconds: number): void;
  /** `status`: of the answer, where there was one. */
  ended(lane: Lane, result: Result, status: number | undefined): void;
};

type InFlight = UnderWay & { delivery: Claimed; done: Promise<void> };

/**
 * Sends what is queued until it is stopped. Any number of processes may have one: what one claims no other gets while
 * it lives. It looks for work when something new may be due: when a delivery has ended, and every half second; a request that queues an event does nothing but write it.
 */
export function startDeliveryWorker(deps: WorkerDeps): { stop(): Promise<void> } {
  const { queue, logger } = deps;
  const worker = randomUUID();
  const underWay = new Map<string, InFlight>();
  const stopped = new AbortController();
  let stopping = false;
  let isMoreDue = false;
  let endPause: (() => void) | undefined;
  const wake = () => {
    isMoreDue = true;
    endPause?.();
  };

  const deliver = async (delivery: Claimed): Promise<void> => {
    const { lane, waitedSeconds } = delivery;
    let result: Result = 'unwritten';
    let status: number | undefined;
    deps.metrics.begun(lane, waitedSeconds);
    try {
      const { answer, attempt } = await deps.send(delivery, stopped.signal);
      status = attempt.status ?? undefined;
      if (!underWay.has(delivery.id)) return; // given back meanwhile
      const outcome = outcomeOf(answer, delivery, { now: deps.clock(), random: deps.random() });
      if (await deps.conclude(worker, delivery, attempt, outcome)) result = resultOf(outcome);
    } catch (error) {
      // It is due again at the end of its lease.
      logger.warn({ err: error, deliveryId: delivery.id }, 'the outcome of a delivery could not be written');
    } finally {
      underWay.delete(delivery.id);
      deps.metrics.ended(lane, result, status);
      wake();
    }
  };

  const fill = async (lane: Lane): Promise<void> => {
    const most = freeSlots(lane, underWay.values(), performance.now());
    if (most === 0) return;
    const { perWebhook, perOrganization } = LANES[lane];
    const claimed = await queue.claim({
      worker,
      lane,
      most,
      perWebhook,
      perOrganization,
      busy: [...underWay.values()].filter((one) => one.lane === lane).map(({ delivery }) => delivery.webhook),
      leaseSeconds: LEASE_SECONDS,
    });
    for (const delivery of claimed) {
      if (underWay.has(delivery.id)) continue; // its lease ended here, and came back
      const inFlight: InFlight = {
        lane,
        startedMs: performance.now(),
        delivery,
        done: Promise.resolve(),
      };
      underWay.set(delivery.id, inFlight);
      inFlight.done = deliver(delivery);
    }
  };

  const pass = async (): Promise<void> => {
    isMoreDue = false;
    try {
      await fill('prompt');
      await fill('slow');
    } catch (error) {
      logger.warn({ err: error }, 'deliveries could not be claimed');
    }
  };

  const renewing = setInterval(() => {
    if (underWay.size === 0) return;
    queue.renew(worker, [...underWay.keys()], LEASE_SECONDS).catch((error: unknown) => {
      logger.warn({ err: error }, 'leases of deliveries could not be renewed');
    });
  }, RENEW_MS).unref();

  /** Until something is done or asked to stop, or the time is over; then a moment more, for what ends together. */
  const pause = async (): Promise<void> => {
    if (!isMoreDue) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        endPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (!stopping) await setTimeoutPromise(GATHER_MS);
  };

  const run = async (): Promise<void> => {
    while (!stopping) {
      await pass();
      if (!stopping) await pause();
    }
  };
  const running = run();

  return {
    stop: async () => {
      stopping = true;
      wake();
      await running;
      const overdue = setTimeout(() => {
        const rest = [...underWay.keys()];
        underWay.clear(); // what comes back now is not written down: another process has it
        queue.release(worker, rest).then(
          () => stopped.abort(),
          () => stopped.abort(),
        );
      }, DRAIN_MS);
      await Promise.all([...underWay.values()].map(({ done }) => done));
      clearTimeout(overdue);
      clearInterval(renewing);
    },
  };
}

const resultOf = ({ succeeded, retryInSeconds }: Outcome): Result =>
  succeeded ? 'succeeded' : retryInSeconds === undefined ? 'given_up' : 'retried';
