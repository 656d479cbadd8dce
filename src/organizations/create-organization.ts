import type { Plan } from '../../config/plans.ts';
import type { AuditActor, RecordAudit } from '../audit/event.ts';
import { newId } from '../kernel/ids.ts';
import type { Organization, OrganizationStore } from './organization.ts';

export type CreateOrganization = (organization: {
  name: string;
  ownerId: string;
  plan?: Plan;
  actor?: AuditActor;
  ip?: string;
}) => Promise<Pick<Organization, 'id' | 'name' | 'plan'>>;

/** Makes an organization with its first owner, in one transaction. `name`: 1 to 100 characters, checked by the caller. */
export function createOrganizationCreator(deps: {
  organizations: OrganizationStore;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
}): CreateOrganization {
  return ({ name, ownerId, plan = 'free', actor, ip }) =>
    deps.transaction(async () => {
      const organization = { id: newId('org'), name, plan };
      await deps.organizations.insert(organization);
      await deps.organizations.addMember({ organizationId: organization.id, userId: ownerId, role: 'owner' });
      await deps.audit({
        type: 'organization.created',
        organizationId: organization.id,
        actor: actor ?? { type: 'user', id: ownerId },
        targetId: organization.id,
        ...(ip ? { ip } : {}),
        data: { name, plan },
      });
      return organization;
    });
}
