import type { AlertStore } from '../alerts/alert.ts';
import type { RaiseAlert } from '../alerts/raise.ts';
import { sha256 } from '../kernel/secret.ts';
import type { LeakHandler, LeakPolicy } from './leak.ts';

/** How long a rolled secret still works. */
const ROLL_GRACE_SECONDS = 3_600;

export type ReportDeps = {
  handlers: readonly LeakHandler[];
  policyOf(organizationId: string): Promise<'revoke' | 'roll'>;
  raise: RaiseAlert;
  alerts: Pick<AlertStore, 'wasLeakTold'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
};

export type ReportLeak = (leak: { token: string; url: string | undefined }) => Promise<boolean>;

/**
 * Disarms a secret that was found in public, and tells its owner, in one transaction; whether it is one of ours. Of one that
 * opens nothing any more the owner was told when that came about: some are forgotten then, and are known by that alert. `url`:
 * where it was found.
 */
export function createLeakReport(deps: ReportDeps): ReportLeak {
  const { handlers, policyOf, raise, alerts, transaction } = deps;
  const policy = async (organizationId: string): Promise<LeakPolicy> =>
    (await policyOf(organizationId)) === 'roll'
      ? { kind: 'roll', graceSeconds: ROLL_GRACE_SECONDS }
      : { kind: 'revoke' };

  return async ({ token, url }) => {
    const handler = handlers.find(({ recognises }) => recognises(token));
    if (!handler) return false;
    return transaction(async () => {
      const disarmed = await handler.disarm(token, policy);
      const period = sha256(token).toString('hex').slice(0, 16);
      if (!disarmed) return alerts.wasLeakTold(period);
      const { organizationId, environment, subject, action } = disarmed;
      if (action && organizationId !== undefined && handler.secret) {
        await raise({
          kind: 'leaked',
          organizationId,
          environment,
          subject,
          period,
          data: { secret: handler.secret, action, foundAt: url ?? null },
        });
      }
      return true;
    });
  };
}
