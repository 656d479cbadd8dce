import { Cluster, Redis } from 'ioredis';
import type { Logger } from '../../src/kernel/log.ts';

/** Of what no request waits for. What one waits for has a deadline of its own (calls.ts). */
const COMMAND_TIMEOUT_MS = 1_000;

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, 2_000);

/**
 * A connection that never makes a request wait for it: no queue while it is down, a bound on every command, no
 * retries of a command. It reconnects by itself in the background. `cluster`: the URL names one of its nodes.
 */
export function connectRedis(
  url: string,
  { cluster, logger }: { cluster: boolean; logger: Logger },
): Redis | Cluster {
  const options = {
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
  };
  const redis: Redis | Cluster = cluster
    ? new Cluster([url], {
        redisOptions: { ...options, ...credentialsIn(url) },
        enableOfflineQueue: false,
        clusterRetryStrategy: retryStrategy,
        maxRedirections: 4,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        slotsRefreshTimeout: 2_000,
      })
    : new Redis(url, { ...options, retryStrategy });
  let told = '';
  redis.on('error', ({ message }: Error) => {
    if (message === told) return; // once an outage, not at each attempt
    told = message;
    logger.warn({ err: message }, 'Redis is not reachable');
  });
  redis.on('ready', () => {
    told = '';
  });
  return redis;
}

/** The other nodes are found by asking this one: they take the same credentials, and TLS if it does. */
function credentialsIn(url: string): { username?: string; password?: string; tls?: object } {
  const { protocol, username, password } = new URL(url);
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
