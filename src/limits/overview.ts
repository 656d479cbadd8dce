import type { Environment } from '../../config/environments.ts';
import { METHODS, type Method } from '../../config/methods.ts';
import type { Plan } from '../../config/plans.ts';
import { notFound } from '../kernel/errors.ts';
import type { Allowance, Principal } from '../principals/principal.ts';
import type { Buckets } from './buckets.ts';
import { statesOf, type WindowState } from './decision.ts';
import { bucketsOf } from './limiter.ts';

export type BucketState = {
  method: Method;
  environment: Environment;
  /** Whose own limits these are; undefined for the organization's. */
  credentialId: string | undefined;
  windows: WindowState[];
};

/**
 * Every bucket of the principal's organization in these environments, and that of the caller's own limits if it has any
 * (`allowance`). Counts nothing. Throws not_found when the organization is gone.
 */
export type LimitsOverview = (
  principal: Principal,
  environments: readonly Environment[],
  allowance: Allowance | undefined,
) => Promise<{ plan: Plan; buckets: BucketState[] }>;

export function createLimitsOverview(deps: {
  buckets: Pick<Buckets, 'peek'>;
  planOf(organizationId: string): Promise<Pick<Allowance, 'plan' | 'own'> | undefined>;
}): LimitsOverview {
  return async (principal, environments, allowance) => {
    const { organizationId } = principal;
    const planned = await deps.planOf(organizationId);
    if (!planned) throw notFound();
    const none = { cap: {}, capId: '' };
    const wanted = environments.flatMap((environment) =>
      METHODS.flatMap((method) => {
        const isCallers = environment === principal.environment && method === principal.method;
        const { cap, capId } = (isCallers && allowance) || none;
        const of = { organizationId, environment, method, allowance: { ...planned, cap, capId } };
        return bucketsOf(of).map((bucket) => ({ ...bucket, environment, method }));
      }),
    );
    const { parts } = await deps.buckets.peek(wanted);
    return {
      plan: planned.plan,
      buckets: wanted.map(({ environment, method, credentialId }, i) => ({
        environment,
        method,
        credentialId,
        windows: statesOf(parts[i]?.limits ?? {}, parts[i]?.counts ?? {}),
      })),
    };
  };
}
