import { z } from 'zod';
import { PLAN_NAMES } from '../../config/plans.ts';
import { ROLES } from '../../config/roles.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { isMailbox, normalizeEmail } from '../kernel/email.ts';
import { notFound } from '../kernel/errors.ts';
import { given } from '../kernel/given.ts';
import { displayName, idOf, networkList, timestamp } from '../kernel/schemas.ts';
import type { Members } from './members.ts';
import {
  LEAKED_SECRETS,
  type Member,
  type MemberCursor,
  type Organization,
  type OrganizationStore,
} from './organization.ts';

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

const memberId = z.union([idOf('usr'), idOf('inv')]);

const member = z
  .object({
    object: z.literal('member'),
    id: memberId.meta({ description: "The person's id; the invitation's while it is open." }),
    email: z.string(),
    name: z.string().nullable(),
    role: z.enum(ROLES),
    status: z.enum(['active', 'invited']),
    createdAt: timestamp,
  })
  .meta({ id: 'Member' });

export type MemberObject = z.output<typeof member>;

export type OrganizationObject = z.output<typeof organization>;

export type OrganizationRouteDeps = {
  members: Members;
  organizations: OrganizationStore;
};

/** `/v1/organization` and its members. */
export function organizationRoutes(deps: OrganizationRouteDeps): Route[] {
  return [...ofOrganization(deps), ...ofMembers(deps)];
}

function ofOrganization({ members, organizations }: OrganizationRouteDeps): Route[] {
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
        present(await members.changeOrganization({ principal, ip }, given(body))),
    }),
  ];
}

function ofMembers({ members, organizations }: OrganizationRouteDeps): Route[] {
  const email = z
    .string()
    .transform(normalizeEmail)
    .refine(isMailbox, 'must be an e-mail address, such as name@example.com');
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/organization/members',
      scope: 'organization:read',
      summary: 'List members and open invitations',
      query: pageQuery(readCursor),
      answer: listSchema(member),
      status: 200,
      handle: async ({ principal, query: { limit, cursor } }) => {
        const found = await organizations.listMembers(principal.organizationId, {
          limit: limit + 1,
          after: cursor === undefined ? undefined : parseCursor(cursor),
        });
        return listOf(found, limit, cursorOf, presentMember);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/organization/members',
      scope: 'organization:admin',
      summary: 'Invite somebody by mail',
      body: z.strictObject({ email, role: z.enum(ROLES) }),
      answer: member,
      status: 201,
      handle: async ({ principal, ip, body }) => presentMember(await members.invite({ principal, ip }, body)),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/organization/members/:id',
      scope: 'organization:read',
      summary: 'Read a member, or an open invitation',
      params: z.strictObject({ id: memberId }),
      answer: member,
      status: 200,
      handle: async ({ principal, params: { id } }) => presentMember(await members.find(principal, id)),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/v1/organization/members/:id',
      scope: 'organization:admin',
      summary: "Change a member's role",
      params: z.strictObject({ id: idOf('usr') }),
      body: z.strictObject({ role: z.enum(ROLES) }),
      answer: member,
      status: 200,
      handle: async ({ principal, params: { id }, ip, body: { role } }) =>
        presentMember(await members.changeRole({ principal, ip }, id, role)),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/organization/members/:id',
      scope: 'organization:admin',
      summary: 'Remove a member, or withdraw an invitation',
      params: z.strictObject({ id: memberId }),
      status: 204,
      handle: async ({ principal, params: { id }, ip }) => {
        await members.remove({ principal, ip }, id);
        return undefined;
      },
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

const presentMember = (found: Member): z.input<typeof member> => ({
  object: 'member',
  id: found.id,
  email: found.email,
  name: found.name ?? null,
  role: found.role,
  status: found.status,
  createdAt: found.createdAt.toISOString(),
});

const cursorOf = ({ createdAt, id }: MemberCursor): string => `${createdAt.getTime()}.${id}`;

const readCursor = (text: string): string | undefined =>
  /^\d{1,14}\.(usr|inv)_[0-9a-z]{26}$/.test(text) ? text : undefined;

const parseCursor = (cursor: string): MemberCursor => {
  const [time = '', id = ''] = cursor.split('.');
  return { createdAt: new Date(Number(time)), id };
};
