import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import { type Buckets, bucketKey } from './buckets.ts';

/** What the limits let through on a day, of one key (with those it was rotated into) or app. */
type Recorded = {
  organizationId: string;
  environment: Environment;
  method: Method;
  capId: string;
  allowed: number;
};

/**
 * Gives a process that counts by itself what the day (UTC) had counted before it started, from recorded usage; minutes and
 * seconds begin anew. Before the first request: nobody gets the day twice by a restart. What a kill -9 kept from being
 * recorded (see usage/meter.ts), about a second's requests, is not counted again.
 */
export async function recountDay(deps: {
  recorded: readonly Recorded[];
  buckets: Pick<Buckets, 'raiseDay'>;
}): Promise<void> {
  const used = new Map<string, number>();
  const add = (key: string, allowed: number) => void used.set(key, (used.get(key) ?? 0) + allowed);
  for (const { capId, allowed, ...bucket } of deps.recorded) {
    add(bucketKey(bucket), allowed);
    add(bucketKey(bucket, capId), allowed);
  }
  for (const [key, count] of used) await deps.buckets.raiseDay(key, count);
}
