import { type Cluster, Redis } from 'ioredis';

/** With what a loop is late by, less than the 110 ms that a request may lose to a Redis that doesn't answer. */
const DEADLINE_MS = 80;

/** Sends a command, and rejects when its answer hasn't come within the deadline. */
export type RedisCalls = <T>(send: () => Promise<T>) => Promise<T>;

type Turn = { unanswered: Set<(error: Error) => void>; timer: NodeJS.Timeout | undefined };

/**
 * Calls that a request waits for. Those of one turn of the event loop go to Redis in one system call, which costs this
 * process more than all else of a command, and share one deadline, which runs from then: not from when they were asked
 * for, or a process that is busy for a moment would take itself for one whose Redis is down. Nothing waits for the sending,
 * since the turn's end is where answers are read too. (Of a cluster each node has a connection of its own: its writes
 * are not gathered.)
 */
export function createRedisCalls(redis: Redis | Cluster): RedisCalls {
  let turn: Turn | undefined;

  const begin = (): Turn => {
    const begun: Turn = { unanswered: new Set(), timer: undefined };
    const stream = redis instanceof Redis && redis.stream?.writable ? redis.stream : undefined;
    stream?.cork?.();
    setImmediate(() => {
      turn = undefined;
      stream?.uncork?.();
      if (begun.unanswered.size === 0) return;
      // After the timers the loop reads what has arrived, and only then runs what setImmediate was given: an answer that
      // came in time, and wasn't read yet, counts.
      begun.timer = setTimeout(() => setImmediate(giveUp, begun), DEADLINE_MS);
    });
    return begun;
  };

  return (send) => {
    turn ??= begin();
    const { unanswered } = turn;
    const asked = turn;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        unanswered.delete(reject);
        if (unanswered.size === 0) clearTimeout(asked.timer);
      };
      unanswered.add(reject);
      send().then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  };
}

function giveUp({ unanswered }: Turn): void {
  for (const reject of unanswered) reject(new Error(`Redis did not answer within ${DEADLINE_MS} ms`));
}
