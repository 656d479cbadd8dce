import type { Environment } from '../../config/environments.ts';
import type { Clock } from '../kernel/clock.ts';
import { createLastUses } from '../kernel/last-uses.ts';
import type { Logger } from '../kernel/log.ts';
import type { RaiseAlert } from './raise.ts';

type OutsideUse = { organizationId: string; environment: Environment; ip: string };

/**
 * Gathers uses of keys from addresses that they may not be used from, and raises an alert of each key once a day (UTC). The
 * request that was refused waits for nothing of it.
 */
export const createOutsideUses = ({
  raise,
  clock,
  logger,
}: {
  raise: RaiseAlert;
  clock: Clock;
  logger: Logger;
}) =>
  createLastUses<OutsideUse>({
    of: 'API keys, from outside their addresses,',
    record: async (uses) => {
      for (const { id, at, ip, organizationId, environment } of uses) {
        await raise({
          kind: 'outside_allowlist',
          organizationId,
          environment,
          subject: id,
          period: at.toISOString().slice(0, 10),
          data: { ip },
        });
      }
    },
    clock,
    logger,
  });
