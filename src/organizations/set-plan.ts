import { type Figures, PLANS, type Plan } from '../../config/plans.ts';
import type { RecordAudit } from '../audit/event.ts';
import { AppError } from '../kernel/errors.ts';
import type { OrganizationStore } from './organization.ts';

export type SetPlan = (id: string, plan: Plan, own: Partial<Figures>) => Promise<void>;

/**
 * Puts an organization on a plan, with the figures of its own that it then has (none: the plan's). For the operator.
 * What was counted already stays counted. Throws not_found, and validation_failed where figures are below the enterprise
 * plan's floor.
 */
export function createPlanSetter(deps: {
  organizations: Pick<OrganizationStore, 'lock' | 'find' | 'setPlan'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
}): SetPlan {
  return async (id, plan, own) => {
    refuseBelowFloor(plan, own);
    await deps.transaction(async () => {
      await deps.organizations.lock(id);
      if (!(await deps.organizations.find(id)))
        throw new AppError('not_found', `There is no organization ${id}.`);
      await deps.organizations.setPlan(id, plan, own);
      await deps.audit({
        type: 'organization.plan_changed',
        organizationId: id,
        actor: { type: 'operator' },
        targetId: id,
        data: { plan, ...own },
      });
    });
  };
}

/** Enterprise says "1,000 or more", so its figures are a floor; the burst is the organization's own affair. */
function refuseBelowFloor(plan: Plan, { perMinute, perDay }: Partial<Figures>): void {
  if (plan !== 'enterprise') return;
  const floor = PLANS.enterprise;
  const errors = [
    ...(perMinute !== undefined && perMinute < floor.perMinute
      ? [{ path: 'perMinute', message: `must be at least ${floor.perMinute}` }]
      : []),
    ...(perDay !== undefined && perDay < floor.perDay
      ? [{ path: 'perDay', message: `must be at least ${floor.perDay}` }]
      : []),
  ];
  if (errors.length === 0) return;
  const words = errors.map(({ path, message }) => `${path} ${message}`).join(', ');
  throw new AppError('validation_failed', `On the enterprise plan ${words}.`, { errors });
}
