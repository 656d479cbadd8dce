import type { Role } from '../../config/roles.ts';
import type { MemberRow } from '../../views/console/members.ts';
import { seeOther } from '../http/page.ts';
import type { MemberObject } from '../organizations/member-routes.ts';
import type { By } from '../principals/principal.ts';
import { attempt, type Faults } from './faults.ts';
import { ROLE_NAMES } from './frame.ts';
import { type ConsolePage, param, queryOf, type Visit } from './visit.ts';

const ROLE_HINTS: Record<Role, string> = {
  owner: 'Everything, and who else is an owner',
  admin: 'Members, keys, apps and settings',
  member: 'All data; sees keys and members',
  viewer: 'Sees everything, changes nothing',
};

export type MemberPageDeps = {
  /** The roles that somebody in this role may give, as the organization's own rules have it. */
  grantableRoles(actor: Role): readonly Role[];
  /** Removes a member, or withdraws an invitation, where the actor may: anybody may leave. */
  removeMember(by: By, id: string): Promise<void>;
};

/** Members and open invitations. */
export function memberPages({ grantableRoles, removeMember }: MemberPageDeps): ConsolePage[] {
  const choices = (visit: Visit) =>
    grantableRoles(visit.role).map((role) => ({
      value: role,
      label: ROLE_NAMES[role],
      hint: ROLE_HINTS[role],
    }));

  const showInvite = (visit: Visit, values: { email: string; role: string }, faults?: Faults) =>
    visit.render(
      'console/invite',
      {
        action: visit.url('/members/invite'),
        cancelUrl: visit.url('/members'),
        values,
        roles: choices(visit),
        errors: faults?.fields ?? {},
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );

  const showMember = (visit: Visit, member: MemberObject, faults?: Faults) => {
    const isSelf = member.id === visit.person.id;
    const may = visit.may('organization:admin') && grantableRoles(visit.role).includes(member.role);
    visit.render(
      'console/member',
      {
        member: memberRow(visit, member),
        action: visit.url(`/members/${member.id}`),
        cancelUrl: visit.url('/members'),
        values: { role: member.role },
        errors: faults?.fields ?? {},
        notice: faults?.notice,
        roles: may && member.status === 'active' ? choices(visit) : [],
        removeUrl: may || isSelf ? visit.url(`/members/${member.id}/remove`) : undefined,
      },
      faults ? { status: faults.status } : {},
    );
  };

  const showRemove = (visit: Visit, member: MemberObject, faults?: Faults) => {
    const who = member.name ?? member.email;
    const wording = removal(member, visit);
    visit.render(
      'console/confirm',
      {
        title: wording.title(who),
        paragraphs: wording.paragraphs,
        action: visit.url(`/members/${member.id}/remove`),
        submit: wording.submit,
        cancelUrl: visit.url('/members'),
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );
  };

  return [
    {
      method: 'GET',
      path: '/members',
      scope: 'organization:read',
      handle: async (visit) => {
        const list = await visit.call('GET /v1/organization/members', {
          query: { limit: '50', cursor: queryOf(visit, 'cursor') || undefined },
        });
        visit.render('console/members', {
          members: list.data.map((member) => memberRow(visit, member)),
          nextUrl: list.nextCursor ? visit.url(`/members?cursor=${list.nextCursor}`) : undefined,
          inviteUrl: visit.may('organization:admin') ? visit.url('/members/invite') : undefined,
          done: DONE[queryOf(visit, 'done')],
        });
      },
    },
    {
      method: 'GET',
      path: '/members/invite',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => showInvite(visit, { email: '', role: 'member' }),
    },
    {
      method: 'POST',
      path: '/members/invite',
      scope: 'organization:admin',
      recent: 'keep',
      handle: async (visit, form) => {
        const body = { email: form.get('email'), role: form.get('role') };
        const { faults } = await attempt(['email', 'role'], () =>
          visit.call('POST /v1/organization/members', { body }),
        );
        if (faults) return showInvite(visit, body, faults);
        seeOther(visit.ctx, visit.url('/members?done=invited'));
      },
    },
    {
      method: 'GET',
      path: '/members/:id',
      scope: 'organization:read',
      handle: async (visit) => showMember(visit, await findMember(visit)),
    },
    {
      method: 'POST',
      path: '/members/:id',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit, form) => {
        const member = await findMember(visit);
        const { faults } = await attempt(['role'], () =>
          visit.call('PATCH /v1/organization/members/:id', {
            params: { id: member.id },
            body: { role: form.get('role') },
          }),
        );
        if (faults) return showMember(visit, member, faults);
        seeOther(visit.ctx, visit.url('/members?done=changed'));
      },
    },
    {
      method: 'GET',
      path: '/members/:id/remove',
      scope: 'organization:read',
      recent: true,
      handle: async (visit) => showRemove(visit, await findMember(visit)),
    },
    {
      method: 'POST',
      path: '/members/:id/remove',
      scope: 'organization:read', // anybody may leave; that it is oneself is seen to where members are removed
      recent: true,
      handle: async (visit) => {
        const member = await findMember(visit);
        const { faults } = await attempt([], () =>
          removeMember({ principal: visit.principal, ip: visit.ctx.ip }, member.id),
        );
        if (faults) return showRemove(visit, member, faults);
        if (member.id === visit.person.id) return seeOther(visit.ctx, '/console');
        seeOther(
          visit.ctx,
          visit.url(`/members?done=${member.status === 'invited' ? 'withdrawn' : 'removed'}`),
        );
      },
    },
  ];
}

const DONE: Partial<Record<string, string>> = {
  invited: 'The invitation is on its way. It can be accepted within 7 days.',
  changed: 'The role is changed. It holds for keys and tokens of theirs, too.',
  removed: 'They no longer belong here, and the tokens that they allowed have ended.',
  withdrawn: 'The invitation is withdrawn: its link no longer works.',
};

const findMember = (visit: Visit): Promise<MemberObject> =>
  visit.call('GET /v1/organization/members/:id', { params: { id: param(visit, 'id') } });

const memberRow = (visit: Visit, member: MemberObject): MemberRow => ({
  url: visit.url(`/members/${member.id}`),
  name: member.name ?? undefined,
  email: member.email,
  role: ROLE_NAMES[member.role],
  invited: member.status === 'invited',
  isSelf: member.id === visit.person.id,
  since: member.createdAt,
});

function removal({ id, status }: MemberObject, { person, organization }: Visit) {
  if (status === 'invited') {
    return {
      title: (who: string) => `Withdraw the invitation of ${who}?`,
      paragraphs: ['The link in their mail stops working. You can invite them again.'],
      submit: 'Withdraw the invitation',
    };
  }
  if (id === person.id) {
    return {
      title: () => `Leave ${organization.name}?`,
      paragraphs: [
        'You lose access to it, and so does every app that you allowed here and every key that you made.',
        'To come back, you will need an invitation.',
      ],
      submit: 'Leave the organization',
    };
  }
  return {
    title: (who: string) => `Remove ${who}?`,
    paragraphs: [
      'They lose access at once, and so does every app that they allowed here and every key that they made.',
      'Keys that you still need: make new ones first.',
    ],
    submit: 'Remove the member',
  };
}
