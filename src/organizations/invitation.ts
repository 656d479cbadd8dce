import type { Role } from '../../config/roles.ts';
import type { Member } from './organization.ts';

export type Invitation = {
  id: string;
  organizationId: string;
  email: string;
  role: Role;
  /** Undefined when an app or a key invited. */
  invitedBy: string | undefined;
  createdAt: Date;
};

/** Every method joins the open transaction. Only open invitations are found: those past their time are as if gone. */
export type InvitationStore = {
  /** Replaces an earlier one to the same address: only the newest link works. `hash`: SHA-256 of the link's token. */
  put(invitation: Invitation, hash: Buffer, ttlSeconds: number): Promise<void>;
  countOpen(organizationId: string): Promise<number>;
  find(organizationId: string, id: string): Promise<Invitation | undefined>;
  findByToken(hash: Buffer): Promise<(Invitation & { organizationName: string }) | undefined>;
  /** False when it was gone already: of several at once exactly one gets true. */
  delete(id: string): Promise<boolean>;
  /** Withdraws what this person sent, but to roles of `keep`. */
  deleteSentBy(member: { organizationId: string; userId: string }, keep: readonly Role[]): Promise<void>;
  /** Deletes at most `most` of those past their time; resolves with how many. */
  sweep(most: number): Promise<number>;
};

/** As one of the organization's members, before the invitation is answered. */
export const invited = ({ id, email, role, createdAt }: Invitation): Member => ({
  id,
  email,
  name: undefined,
  role,
  status: 'invited',
  createdAt,
});
