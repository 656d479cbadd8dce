import type { CreateAttemptLimit } from '../kernel/attempts.ts';
import { createOrganizationChanger } from '../organizations/change-organization.ts';
import { createOrganizationCreator } from '../organizations/create-organization.ts';
import { createInvitations } from '../organizations/manage-invitations.ts';
import { createMembers } from '../organizations/members.ts';
import { createPlanSetter } from '../organizations/set-plan.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** Organizations, their plans, their members, and whom they invite. */
export function organizationServices(
  { config, clock, transaction, audit, background, sendMail }: Foundation,
  { organizations, invitations, secondFactorStore, endGrants }: Stores,
  { createAttemptLimit }: { createAttemptLimit: CreateAttemptLimit },
) {
  const change = { organizations, transaction, audit };
  const manageInvitations = createInvitations({
    ...change,
    webUrl: config.webUrl,
    invitations,
    mailLimit: createAttemptLimit({ name: 'invitations', attempts: 100, windowSeconds: 3600 }),
    sendMail,
    inBackground: background.run,
    clock,
  });
  return {
    createOrganization: createOrganizationCreator(change),
    changeOrganization: createOrganizationChanger({ ...change, hasSecondFactor: secondFactorStore.hasAny }),
    setPlan: createPlanSetter(change),
    manageInvitations,
    members: createMembers({
      ...change,
      invitations,
      withdrawInvitation: manageInvitations.withdraw,
      endGrants,
    }),
  };
}
