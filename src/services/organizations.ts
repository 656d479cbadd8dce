import type { CreateAttemptLimit } from '../kernel/attempts.ts';
import { createOrganizationCreator } from '../organizations/create-organization.ts';
import { createMembers } from '../organizations/members.ts';
import { createPlanSetter } from '../organizations/set-plan.ts';
import type { Stores } from './stores.ts';
import type { World } from './world.ts';

/** Organizations, their plans and their members. */
export function organizationServices(
  { config, clock, transaction, audit, background, sendMail }: World,
  { organizations, invitations, secondFactorStore, endGrants }: Stores,
  { createAttemptLimit }: { createAttemptLimit: CreateAttemptLimit },
) {
  return {
    createOrganization: createOrganizationCreator({ organizations, transaction, audit }),
    setPlan: createPlanSetter({ organizations, transaction, audit }),
    members: createMembers({
      hasSecondFactor: secondFactorStore.hasAny,
      webUrl: config.webUrl,
      organizations,
      invitations,
      endGrants,
      mailLimit: createAttemptLimit({ name: 'invitations', attempts: 100, windowSeconds: 3600 }),
      sendMail,
      inBackground: background.run,
      transaction,
      audit,
      clock,
    }),
  };
}
