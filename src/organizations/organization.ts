import type { Figures, Plan } from '../../config/plans.ts';
import type { Role } from '../../config/roles.ts';

/** What is done with a secret of the organization's that was found in public (src/secret-scanning). */
export const LEAKED_SECRETS = ['revoke', 'roll'] as const;

export type LeakedSecrets = (typeof LEAKED_SECRETS)[number];

export type Organization = {
  id: string;
  name: string;
  plan: Plan;
  leakedSecrets: LeakedSecrets;
  /** Members without a second factor are led to set one up before they enter the console or allow an app. */
  requireSecondFactor: boolean;
  /** Addresses and CIDR ranges that keys without a list of their own may be used from; empty for any. */
  ipAllowlist: readonly string[];
  createdAt: Date;
};

/** What its admins may change. */
export type OrganizationChange = Partial<
  Pick<Organization, 'name' | 'leakedSecrets' | 'requireSecondFactor' | 'ipAllowlist'>
>;

/** An organization as one of its members sees it. */
export type Membership = {
  organizationId: string;
  organizationName: string;
  role: Role;
  /** The organization requires a second factor, and this member has none. */
  lacksSecondFactor: boolean;
};

/** Somebody who belongs to an organization, or was invited to and hasn't answered. */
export type Member = {
  /** The person's id, or the invitation's. */
  id: string;
  email: string;
  /** Undefined for somebody invited. */
  name: string | undefined;
  role: Role;
  status: 'active' | 'invited';
  createdAt: Date;
};

/** Where a page of members begins: below this one. */
export type MemberCursor = Pick<Member, 'createdAt' | 'id'>;

/** Every method joins the open transaction. */
export type OrganizationStore = {
  insert(organization: Pick<Organization, 'id' | 'name' | 'plan'>): Promise<void>;
  /** Its plan, and the figures of its own. */
  planOf(id: string): Promise<{ plan: Plan; own: Partial<Figures> } | undefined>;
  setPlan(id: string, plan: Plan, own: Partial<Figures>): Promise<void>;
  /** Whether there is none at all. */
  isEmpty(): Promise<boolean>;
  find(id: string): Promise<Organization | undefined>;
  update(id: string, change: OrganizationChange): Promise<void>;
  /** Makes changes of one organization's members wait for each other until the transaction ends. */
  lock(id: string): Promise<void>;

  /** False, and nothing is written, when the person belongs to it already. */
  addMember(member: { organizationId: string; userId: string; role: Role }): Promise<boolean>;
  /** By name, so that a list reads the same each time. */
  membershipsOf(userId: string): Promise<Membership[]>;
  roleOf(member: { organizationId: string; userId: string }): Promise<Role | undefined>;
  findMember(member: { organizationId: string; userId: string }): Promise<Member | undefined>;
  hasMemberWithEmail(organizationId: string, email: string): Promise<boolean>;
  /** Members and open invitations, newest first, from below `after`; at most `limit`. */
  listMembers(
    organizationId: string,
    page: { limit: number; after: MemberCursor | undefined },
  ): Promise<Member[]>;
  /** Whether an active person other than this one is an owner. */
  hasOtherOwner(member: { organizationId: string; userId: string }): Promise<boolean>;
  setRole(member: { organizationId: string; userId: string; role: Role }): Promise<void>;
  removeMember(member: { organizationId: string; userId: string }): Promise<void>;
};
