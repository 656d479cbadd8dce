import type { Role } from '../../config/roles.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import type { By, Principal } from '../principals/principal.ts';
import { type ChangeDeps, createChanging, forbidden } from './change.ts';
import { type InvitationStore, invited } from './invitation.ts';
import type { Member, OrganizationStore } from './organization.ts';
import { grantableRoles, mayChangeRole, mayRemove } from './role-rules.ts';

export type MembersDeps = ChangeDeps & {
  organizations: Pick<OrganizationStore, 'findMember' | 'hasOtherOwner' | 'setRole' | 'removeMember'>;
  invitations: Pick<InvitationStore, 'find' | 'deleteSentBy'>;
  withdrawInvitation(by: By, id: string): Promise<void>;
  /** Ends what this person allowed apps in the organization, and every token under it. */
  endGrants(of: { userId: string; organizationId: string }): Promise<unknown>;
};

export type Members = ReturnType<typeof createMembers>;

/**
 * Who belongs to an organization, and in which role. Credentials lose what a person lost at once: each use asks for the
 * role anew.
 */
export function createMembers(deps: MembersDeps) {
  const { organizations, invitations } = deps;
  const { changing, record } = createChanging(deps);

  const requireOtherOwner = async (member: { organizationId: string; userId: string }): Promise<void> => {
    if (await organizations.hasOtherOwner(member)) return;
    throw new AppError('conflict', 'This is the last owner: make another member an owner first.');
  };

  /** `id`: the person's, or an invitation's, which is withdrawn. */
  const remove = (by: By, id: string): Promise<void> =>
    isId('inv', id)
      ? deps.withdrawInvitation(by, id)
      : changing(by, async (actor) => {
          const member = { organizationId: by.principal.organizationId, userId: id };
          const found = await organizations.findMember(member);
          if (!found) throw notFound();
          const isSelf = by.principal.method === 'oauth_user' && by.principal.userId === id;
          if (!mayRemove(actor, found.role, isSelf)) throw forbidden('Only an owner may remove an owner.');
          if (found.role === 'owner') await requireOtherOwner(member);
          await deps.endGrants(member);
          await organizations.removeMember(member);
          await invitations.deleteSentBy(member, []);
          await record('member.removed', by, id, { role: found.role, ...(isSelf ? { left: true } : {}) });
        });

  return {
    /** A member by the person's id, or an open invitation by its own. */
    find: async ({ organizationId }: Principal, id: string): Promise<Member> => {
      const found = isId('inv', id)
        ? await invitations.find(organizationId, id)
        : await organizations.findMember({ organizationId, userId: id });
      if (!found) throw notFound();
      return 'status' in found ? found : invited(found);
    },

    changeRole: (by: By, userId: string, role: Role): Promise<Member> =>
      changing(by, async (actor) => {
        const member = { organizationId: by.principal.organizationId, userId };
        const found = await organizations.findMember(member);
        if (!found) throw notFound();
        if (!mayChangeRole(actor, found.role, role)) {
          throw forbidden(
            'Only an owner may make or change an owner, and nobody gives a role above their own.',
          );
        }
        if (found.role === role) return found;
        if (found.role === 'owner') await requireOtherOwner(member);
        await organizations.setRole({ ...member, role });
        await invitations.deleteSentBy(member, grantableRoles(role));
        await record('member.role_changed', by, userId, { from: found.role, to: role });
        return { ...found, role };
      }),

    remove,

    /** Anybody may leave; the last owner may not. */
    leave: (
      { userId, organizationId }: { userId: string; organizationId: string },
      ip: string,
    ): Promise<void> => remove({ principal: asThemself(userId, organizationId), ip }, userId),
  };
}

/** A person at our own pages, who acts for nobody else. */
const asThemself = (userId: string, organizationId: string): Principal => ({
  method: 'oauth_user',
  id: userId,
  userId,
  organizationId,
  environment: 'live',
  scopes: [],
});
