import { createMemoryAttemptLimit } from '../../adapters/memory/attempts.ts';
import { createRedisAttemptLimits } from '../../adapters/redis/attempts.ts';
import { createRedisBuckets } from '../../adapters/redis/buckets.ts';
import { connectRedis } from '../../adapters/redis/connect.ts';
import type { Config } from '../../config/config.ts';
import type { LimitsHealth } from '../http/health.ts';
import type { Logger } from '../kernel/log.ts';
import { createFallback } from '../limits/fallback.ts';
import { createMemoryBuckets } from '../limits/memory-buckets.ts';

export type Counting = ReturnType<typeof openCounting>;

const PROBE_EVERY_MS = 1_000;

/** Where requests and attempts are counted: in Redis where there is one, else in this process. */
export function openCounting({ redisUrl, redisCluster: cluster }: Config, logger: Logger) {
  const local = createMemoryBuckets(Date.now);
  if (!redisUrl) {
    const health = (): LimitsHealth => 'in_process';
    return { buckets: local, createAttemptLimit: createMemoryAttemptLimit, health, close: () => {} };
  }
  const redis = connectRedis(redisUrl, { cluster, logger });
  const buckets = createFallback({
    shared: createRedisBuckets(redis),
    local,
    ping: () => redis.ping(),
    onChange: (degraded) =>
      logger.warn(degraded ? 'limits are decided in this process, at half' : 'limits are shared again'),
  });
  const probing = setInterval(() => void buckets.probe(), PROBE_EVERY_MS).unref();
  return {
    buckets,
    createAttemptLimit: createRedisAttemptLimits(redis, buckets.isDegraded),
    health: (): LimitsHealth => (buckets.isDegraded() ? 'degraded' : 'shared'),
    close: () => {
      clearInterval(probing);
      redis.disconnect();
    },
  };
}
