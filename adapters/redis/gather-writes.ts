import { Redis } from 'ioredis';

/**
 * What is sent within one turn of the event loop goes to Redis in one system call: to write costs this process more than
 * all else of a command. Nothing waits for it, since the turn's end is where the answers are read too. Of a cluster each
 * node has a connection of its own, to which this does nothing.
 */
export function createWriteGathering(redis: unknown): () => void {
  if (!(redis instanceof Redis)) return () => {};
  let gathering = false;
  return () => {
    const { stream } = redis;
    if (gathering || !stream?.writable || typeof stream.cork !== 'function') return;
    gathering = true;
    stream.cork();
    setImmediate(() => {
      gathering = false;
      stream.uncork();
    });
  };
}
