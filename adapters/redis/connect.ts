import { Redis } from 'ioredis';
import type { Logger } from '../../src/kernel/log.ts';

const COMMAND_TIMEOUT_MS = 100;

/**
 * A connection that never makes a request wait for it: no queue while it is down, a bound on every command, no
 * retries of a command. It reconnects by itself in the background.
 */
export function connectRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  redis.on('error', (error: Error) => logger.warn({ err: error.message }, 'Redis is not reachable'));
  return redis;
}
