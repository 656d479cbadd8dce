import { z } from 'zod';
import { ROLES } from '../../config/roles.ts';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { isMailbox, normalizeEmail } from '../kernel/email.ts';
import { idOf, timestamp } from '../kernel/schemas.ts';
import type { Invitations } from './manage-invitations.ts';
import type { Members } from './members.ts';
import type { Member, MemberCursor, OrganizationStore } from './organization.ts';

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

export type MemberRouteDeps = {
  members: Members;
  invite: Invitations['invite'];
  organizations: Pick<OrganizationStore, 'listMembers'>;
};

const email = z
  .string()
  .transform(normalizeEmail)
  .refine(isMailbox, 'must be an e-mail address, such as name@example.com');

/** `/v1/organization/members`: people, and invitations that are open. */
export function memberRoutes({ members, invite, organizations }: MemberRouteDeps): Route[] {
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
      handle: async ({ principal, ip, body }) => presentMember(await invite({ principal, ip }, body)),
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
