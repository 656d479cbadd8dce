import type { Role } from '../../config/roles.ts';
import type { RecordAudit } from '../audit/event.ts';
import { networkMatcher } from '../kernel/addresses.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { isId, newId } from '../kernel/ids.ts';
import { issueSecret, sha256 } from '../kernel/secret.ts';
import { actorOf, type By, type Principal } from '../principals/principal.ts';
import type { Invitation, InvitationStore } from './invitation.ts';
import { invitationMail } from './mail.ts';
import type { Member, Organization, OrganizationChange, OrganizationStore } from './organization.ts';
import { grantableRoles, mayChangeRole, mayInvite, mayRemove } from './role-rules.ts';

const INVITATION_SECONDS = 7 * 86_400;
const MOST_INVITATIONS = 100;

export type MembersDeps = {
  webUrl: string;
  organizations: OrganizationStore;
  invitations: InvitationStore;
  /** Ends what this person allowed apps in the organization, and every token under it. */
  endGrants(of: { userId: string; organizationId: string }): Promise<unknown>;
  hasSecondFactor(userId: string): Promise<boolean>;
  /** Limits the mails of one organization. */
  mailLimit: AttemptLimit;
  sendMail(mail: { to: string; subject: string; text: string }): Promise<void>;
  inBackground(work: () => Promise<void>): void;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
};

export type Members = ReturnType<typeof createMembers>;

/** What came of accepting an invitation. */
export type Accepted =
  | { kind: 'stale' }
  | { kind: 'other_address' }
  | { kind: 'joined'; organizationName: string };

type MemberEvent =
  | 'organization.updated'
  | 'member.invited'
  | 'member.invitation_withdrawn'
  | 'member.role_changed'
  | 'member.removed';

/**
 * Everything that changes who belongs to an organization, and in which role. Each change locks the organization, reads
 * the actor's role after that, and writes its audit event in the same transaction. Credentials lose what a person lost
 * at once: each use asks for the role anew.
 */
export function createMembers(deps: MembersDeps) {
  const { organizations, invitations, transaction, audit } = deps;

  /** Runs `work` with the organization locked, and the role that the actor has then. */
  const changing = <T>({ principal }: By, work: (role: Role) => Promise<T>): Promise<T> => {
    refuseSandbox(principal);
    return transaction(async () => {
      await organizations.lock(principal.organizationId);
      return work(await actorRole(principal));
    });
  };

  /** Apps and keys act as admins: they can't touch owners, whoever made them. */
  const actorRole = async ({ method, userId, organizationId }: Principal): Promise<Role> => {
    if (method !== 'oauth_user' || userId === undefined) return 'admin';
    const role = await organizations.roleOf({ organizationId, userId });
    if (!role) throw forbidden('You do not belong to this organization any more.');
    return role;
  };

  const record = (type: MemberEvent, { principal, ip }: By, targetId: string, data: object) =>
    audit({
      type,
      organizationId: principal.organizationId,
      actor: actorOf(principal),
      targetId,
      ip,
      data: { ...data },
    });

  /** Nobody locks themself out. */
  const requireOwnSecondFactor = async ({ userId }: Principal): Promise<void> => {
    if (userId === undefined || (await deps.hasSecondFactor(userId))) return;
    throw new AppError('conflict', 'Set up a second factor for yourself first.');
  };

  const requireOtherOwner = async (member: { organizationId: string; userId: string }): Promise<void> => {
    if (await organizations.hasOtherOwner(member)) return;
    throw new AppError('conflict', 'This is the last owner: make another member an owner first.');
  };

  const withdraw = async (by: By, id: string, role: Role): Promise<void> => {
    const invitation = await invitations.find(by.principal.organizationId, id);
    if (!invitation) throw notFound();
    if (!mayInvite(role, invitation.role)) throw forbidden('Only an owner may withdraw this invitation.');
    await invitations.delete(id);
    await record('member.invitation_withdrawn', by, id, { email: invitation.email });
  };

  /** `id`: the person's, or an invitation's, which is withdrawn. */
  const remove = (by: By, id: string): Promise<void> =>
    changing(by, async (actor) => {
      if (isId('inv', id)) return withdraw(by, id, actor);
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

    changeOrganization: (by: By, change: OrganizationChange): Promise<Organization> =>
      changing(by, async () => {
        const { organizationId } = by.principal;
        const fields = Object.keys(change);
        if (change.requireSecondFactor) await requireOwnSecondFactor(by.principal);
        if (change.ipAllowlist) requireOwnAddress(by, change.ipAllowlist);
        if (fields.length > 0) {
          await organizations.update(organizationId, change);
          const { ipAllowlist } = change;
          await record('organization.updated', by, organizationId, {
            fields,
            ...(ipAllowlist ? { ipAllowlist } : {}),
          });
        }
        const organization = await organizations.find(organizationId);
        if (!organization) throw notFound();
        return organization;
      }),

    /** Invites an address, and mails the link. An earlier invitation to it stops working. */
    invite: async (by: By, { email, role }: { email: string; role: Role }): Promise<Member> => {
      const { principal } = by;
      const token = issueSecret('mail_');
      const { invitation, organization } = await changing(by, async (actor) => {
        const { organizationId } = principal;
        if (!mayInvite(actor, role)) throw forbidden('You can not invite somebody to a role above your own.');
        if (await organizations.hasMemberWithEmail(organizationId, email)) {
          throw new AppError('conflict', 'This person is a member already: change their role instead.');
        }
        await limitMail(principal);
        if ((await invitations.countOpen(organizationId)) >= MOST_INVITATIONS) {
          throw new AppError(
            'conflict',
            `At most ${MOST_INVITATIONS} invitations can be open: withdraw one first.`,
            {
              limit: MOST_INVITATIONS,
            },
          );
        }
        const createdAt = deps.clock();
        const made: Invitation = {
          id: newId('inv', createdAt),
          organizationId,
          email,
          role,
          invitedBy: principal.userId,
          createdAt,
        };
        await invitations.put(made, sha256(token.reveal()), INVITATION_SECONDS);
        await record('member.invited', by, made.id, { email, role });
        const found = await organizations.find(organizationId);
        if (!found) throw notFound();
        return { invitation: made, organization: found };
      });
      const url = new URL('/account/invitations', deps.webUrl);
      url.searchParams.set('token', token.reveal());
      deps.inBackground(() =>
        deps.sendMail({
          to: email,
          ...invitationMail({ url: url.href, organization: organization.name, role }),
        }),
      );
      return invited(invitation);
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

    /** What an invitation's link says; undefined when it was used, replaced, withdrawn, or is past its time. */
    findInvitation: (token: string) => invitations.findByToken(sha256(token)),

    /** Spends the link. It is good for nobody but the owner of the address that it was mailed to. */
    accept: (token: string, user: { id: string; email: string }, ip: string): Promise<Accepted> =>
      transaction(async () => {
        const found = await invitations.findByToken(sha256(token));
        if (!found) return { kind: 'stale' };
        const { id, organizationId, organizationName, role } = found;
        if (found.email !== user.email) return { kind: 'other_address' };
        await organizations.lock(organizationId);
        if (!(await invitations.delete(id))) return { kind: 'stale' };
        if (await organizations.addMember({ organizationId, userId: user.id, role })) {
          await audit({
            type: 'member.joined',
            organizationId,
            actor: { type: 'user', id: user.id },
            targetId: user.id,
            ip,
            data: { role, invitationId: id },
          });
        }
        return { kind: 'joined', organizationName };
      }),
  };

  async function limitMail({ organizationId }: Principal): Promise<void> {
    const { allowed, retryAfterSeconds } = await deps.mailLimit.attempt(organizationId);
    if (allowed) return;
    throw new AppError('rate_limited', 'Too many invitations. Try again later.', { retryAfterSeconds });
  }
}

const invited = ({ id, email, role, createdAt }: Invitation): Member => ({
  id,
  email,
  name: undefined,
  role,
  status: 'invited',
  createdAt,
});

/** A person at our own pages, who acts for nobody else. */
const asThemself = (userId: string, organizationId: string): Principal => ({
  method: 'oauth_user',
  id: userId,
  userId,
  organizationId,
  environment: 'live',
  scopes: [],
});

/**
 * No key shuts itself out. People and apps are not held to the list, so that in the console it can always be undone. A key
 * with a list of its own would not be shut out, and is refused too: one rule, that is easy to tell.
 */
function requireOwnAddress({ principal, ip }: By, allowlist: readonly string[]): void {
  if (principal.method !== 'api_key' || allowlist.length === 0 || networkMatcher(allowlist)(ip)) return;
  const message = `must hold ${ip}, from which this API key calls`;
  throw new AppError('validation_failed', `The list ${message}.`, {
    errors: [{ path: 'ipAllowlist', message }],
  });
}

/** Members and their roles are no sandbox data: who joins here reaches production. */
function refuseSandbox({ environment }: Principal): void {
  if (environment === 'test') throw forbidden('A sandbox credential can not change the organization.');
}

const forbidden = (detail: string): AppError => new AppError('forbidden', detail);
