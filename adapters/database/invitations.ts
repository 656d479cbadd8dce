import type { Role } from '../../config/roles.ts';
import type { Invitation, InvitationStore } from '../../src/organizations/invitation.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

type InvitationRow = {
  id: string;
  organization_id: string;
  email: string;
  role: Role;
  invited_by: string | null;
  created_at: Date;
};

/** Invitations into organizations; of each link only the token's hash. */
export function createInvitationStore(database: Database): InvitationStore {
  const invitations = () => database.sql()('invitations');
  const open = () => invitations().whereRaw('invitations.expires_at > now()');

  return {
    put: async (invitation, hash, ttlSeconds) => {
      const { organizationId, email } = invitation;
      await invitations().where({ organization_id: organizationId, email }).delete();
      await invitations().insert({
        id: invitation.id,
        organization_id: organizationId,
        email,
        role: invitation.role,
        token_hash: hash,
        invited_by: invitation.invitedBy,
        created_at: invitation.createdAt,
        expires_at: database.sql().raw("now() + ? * interval '1 second'", [ttlSeconds]),
      });
    },
    countOpen: async (organizationId) => {
      const [row] = await open()
        .where({ organization_id: organizationId })
        .count<{ count: string }[]>('* as count');
      return Number(row?.count ?? 0);
    },
    find: async (organizationId, id) => {
      const row = await open()
        .where({ organization_id: organizationId, id })
        .first<InvitationRow | undefined>();
      return row && toInvitation(row);
    },
    findByToken: async (hash) => {
      const row = await open()
        .join('organizations', 'organizations.id', 'invitations.organization_id')
        .where({ token_hash: hash })
        .first<(InvitationRow & { organization_name: string }) | undefined>(
          'invitations.*',
          'organizations.name as organization_name',
        );
      return row && { ...toInvitation(row), organizationName: row.organization_name };
    },
    delete: async (id) => (await open().where({ id }).delete()) === 1,
    deleteSentBy: async ({ organizationId, userId }, keep) => {
      await invitations()
        .where({ organization_id: organizationId, invited_by: userId })
        .whereNotIn('role', keep)
        .delete();
    },
    sweep: (most) =>
      clearSome(database, { table: 'invitations', key: 'id', condition: 'expires_at < now()' }, most),
  };
}

const toInvitation = (row: InvitationRow): Invitation => ({
  id: row.id,
  organizationId: row.organization_id,
  email: row.email,
  role: row.role,
  invitedBy: row.invited_by ?? undefined,
  createdAt: row.created_at,
});
