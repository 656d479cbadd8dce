import type { Plan } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';

export type Organization = { id: string; name: string; plan: Plan; createdAt: Date };

/** An organization as one of its members sees it. */
export type Membership = { organizationId: string; organizationName: string; role: Role };

/** Every method joins the open transaction. */
export type OrganizationStore = {
  insert(organization: Omit<Organization, 'createdAt'>): Promise<void>;
  /** Whether there is none at all. */
  isEmpty(): Promise<boolean>;
  find(id: string): Promise<Organization | undefined>;
  addMember(member: { organizationId: string; userId: string; role: Role }): Promise<void>;
  /** By name, so that a list reads the same each time. */
  membershipsOf(userId: string): Promise<Membership[]>;
  roleOf(member: { organizationId: string; userId: string }): Promise<Role | undefined>;
};
