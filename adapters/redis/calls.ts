import { type Cluster, Redis } from 'ioredis';

/** With what a loop is late by, less than the 110 ms that a request may lose to a Redis that doesn't answer. */
const DEADLINE_MS = 80;

/** Sends a command at the end of this turn, and rejects when its answer hasn't come within the deadline. */
export type RedisCalls = <T>(send: () => Promise<T>) => Promise<T>;

type Turn = {
  sends: (() => void)[];
  unanswered: Set<(error: Error) => void>;
  timer: NodeJS.Timeout | undefined;
};

/**
 * Calls that a request waits for. Those of one turn of the event loop go to Redis at its end, in one system call, which costs
 * this process more than all else of a command, and share one deadline, which runs from then: not from when they were
 * asked for, or a process that is busy for a moment would take itself for one whose Redis is down. Nothing waits for the
 * turn's end, since that is where answers are read too. (Of a cluster each node has a connection of its own: its writes
 * are not gathered.)
 */
export function createRedisCalls(redis: Redis | Cluster): RedisCalls {
  let turn: Turn | undefined;

  const finish = (finished: Turn): void => {
    turn = undefined;
    const stream = redis instanceof Redis && redis.stream?.writable ? redis.stream : undefined;
    stream?.cork?.();
    for (const send of finished.sends) send();
    stream?.uncork?.();
    // After the timers the loop reads what has arrived, and only then runs what setImmediate was given: an answer that
    // came in time, and wasn't read yet, counts.
    finished.timer = setTimeout(() => setImmediate(giveUp, finished), DEADLINE_MS);
  };

  return (send) => {
    if (!turn) {
      turn = { sends: [], unanswered: new Set(), timer: undefined };
      setImmediate(finish, turn);
    }
    const asked = turn;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        asked.unanswered.delete(reject);
        if (asked.unanswered.size === 0) clearTimeout(asked.timer);
      };
      asked.unanswered.add(reject);
      asked.sends.push(() => {
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
    });
  };
}

function giveUp({ unanswered }: Turn): void {
  for (const reject of unanswered) reject(new Error(`Redis did not answer within ${DEADLINE_MS} ms`));
}
