import type { Role } from '../../config/roles.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { issueSecret, sha256 } from '../kernel/secret.ts';
import type { By, Principal } from '../principals/principal.ts';
import { type ChangeDeps, createChanging, forbidden } from './change.ts';
import { type Invitation, type InvitationStore, invited } from './invitation.ts';
import { invitationMail } from './mail.ts';
import type { Member, OrganizationStore } from './organization.ts';
import { mayInvite } from './role-rules.ts';

const INVITATION_SECONDS = 7 * 86_400;
const MOST_INVITATIONS = 100;

export type InvitationDeps = ChangeDeps & {
  webUrl: string;
  organizations: Pick<OrganizationStore, 'find' | 'hasMemberWithEmail' | 'addMember'>;
  invitations: InvitationStore;
  /** Limits the mails of one organization. */
  mailLimit: AttemptLimit;
  sendMail(mail: { to: string; subject: string; text: string }): Promise<void>;
  inBackground(work: () => Promise<void>): void;
  clock: Clock;
};

export type Invitations = ReturnType<typeof createInvitations>;

/** What came of accepting an invitation. */
export type Accepted =
  | { kind: 'stale' }
  | { kind: 'other_address' }
  | { kind: 'joined'; organizationName: string };

/** Invitations, from the mail to the member. Each change and its audit event are one transaction. */
export function createInvitations(deps: InvitationDeps) {
  const { organizations, invitations, transaction, audit } = deps;
  const { changing, record } = createChanging(deps);

  const limitMail = async ({ organizationId }: Principal): Promise<void> => {
    const { allowed, retryAfterSeconds } = await deps.mailLimit.attempt(organizationId);
    if (allowed) return;
    throw new AppError('rate_limited', 'Too many invitations. Try again later.', { retryAfterSeconds });
  };

  return {
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

    withdraw: (by: By, id: string): Promise<void> =>
      changing(by, async (actor) => {
        const invitation = await invitations.find(by.principal.organizationId, id);
        if (!invitation) throw notFound();
        if (!mayInvite(actor, invitation.role))
          throw forbidden('Only an owner may withdraw this invitation.');
        await invitations.delete(id);
        await record('member.invitation_withdrawn', by, id, { email: invitation.email });
      }),

    /** What an invitation's link says; undefined when it was used, replaced, withdrawn, or is past its time. */
    find: (token: string) => invitations.findByToken(sha256(token)),

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
}
