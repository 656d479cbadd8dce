/** With what a loop is late by, less than the 110 ms that a request may lose to a Redis that doesn't answer. */
const DEADLINE_MS = 80;

/**
 * Rejects when Redis hasn't answered within the deadline. An answer that has come and wasn't read yet, because this process
 * was busy, counts: a busy process must not take itself for one whose Redis is down.
 */
export function withDeadline<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // After the timers the loop reads what has arrived, and only then runs what setImmediate was given.
    const timer = setTimeout(
      () => setImmediate(() => reject(new Error(`Redis did not answer within ${DEADLINE_MS} ms`))),
      DEADLINE_MS,
    );
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
