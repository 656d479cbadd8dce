import { z } from 'zod';
import { PLAN_NAMES } from '../../config/plans.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { notFound } from '../kernel/errors.ts';
import { given } from '../kernel/given.ts';
import { displayName, idOf, networkList, timestamp } from '../kernel/schemas.ts';
import type { ChangeOrganization } from './change-organization.ts';
import { LEAKED_SECRETS, type Organization, type OrganizationStore } from './organization.ts';

const ALLOWLIST =
  'Addresses and CIDR ranges that API keys may be used from, in both environments. A list of a key of its own takes its place; empty: any address.';

const organization = z
  .object({
    object: z.literal('organization'),
    id: idOf('org'),
    name: z.string(),
    plan: z.enum(PLAN_NAMES),
    leakedSecrets: z
      .enum(LEAKED_SECRETS)
      .meta({ description: 'What is done with a secret that was found in public: revoke at once, or roll.' }),
    requireSecondFactor: z.boolean().meta({
      description: 'Whether members need a second factor before they enter the console or allow an app.',
    }),
    ipAllowlist: z.array(z.string()).meta({ description: ALLOWLIST }),
    createdAt: timestamp,
  })
  .meta({ id: 'Organization' });

export type OrganizationObject = z.output<typeof organization>;

export type OrganizationRouteDeps = {
  organizations: Pick<OrganizationStore, 'find'>;
  changeOrganization: ChangeOrganization;
};

/** `/v1/organization`: the one that the credential belongs to. */
export function organizationRoutes({ organizations, changeOrganization }: OrganizationRouteDeps): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/organization',
      scope: 'organization:read',
      summary: 'Read the organization that the credential belongs to',
      answer: organization,
      status: 200,
      handle: async ({ principal }) => {
        const found = await organizations.find(principal.organizationId);
        if (!found) throw notFound();
        return present(found);
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/organization',
      scope: 'organization:admin',
      summary: 'Change the organization',
      body: z
        .strictObject({
          name: displayName,
          leakedSecrets: z.enum(LEAKED_SECRETS),
          requireSecondFactor: z.boolean(),
          ipAllowlist: networkList.meta({
            description: `${ALLOWLIST} An API key can not set one without the address that it calls from.`,
          }),
        })
        .partial(),
      answer: organization,
      status: 200,
      handle: async ({ principal, ip, body }) =>
        present(await changeOrganization({ principal, ip }, given(body))),
    }),
  ];
}

const present = ({
  id,
  name,
  plan,
  leakedSecrets,
  requireSecondFactor,
  ipAllowlist,
  createdAt,
}: Organization): z.input<typeof organization> => ({
  object: 'organization',
  id,
  name,
  plan,
  leakedSecrets,
  requireSecondFactor,
  ipAllowlist: [...ipAllowlist],
  createdAt: createdAt.toISOString(),
});
