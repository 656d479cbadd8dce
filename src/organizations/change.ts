import type { Role } from '../../config/roles.ts';
import type { RecordAudit } from '../audit/event.ts';
import { AppError } from '../kernel/errors.ts';
import { actorOf, type By, type Principal } from '../principals/principal.ts';
import type { OrganizationStore } from './organization.ts';

export type ChangeDeps = {
  organizations: Pick<OrganizationStore, 'lock' | 'roleOf'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
};

type ChangeEvent =
  | 'organization.updated'
  | 'member.invited'
  | 'member.invitation_withdrawn'
  | 'member.role_changed'
  | 'member.removed';

/**
 * How everything that belongs to an organization's people is changed: with the organization locked, by the role that the
 * actor has after that, and with its audit event in the same transaction. Does NOT check the route's scope, nor what the
 * role may do: `work` is given the role for that.
 */
export function createChanging({ organizations, transaction, audit }: ChangeDeps) {
  /** Apps and keys act as admins: they can't touch owners, whoever made them. */
  const actorRole = async ({ method, userId, organizationId }: Principal): Promise<Role> => {
    if (method !== 'oauth_user' || userId === undefined) return 'admin';
    const role = await organizations.roleOf({ organizationId, userId });
    if (!role) throw forbidden('You do not belong to this organization any more.');
    return role;
  };

  return {
    changing: <T>({ principal }: By, work: (role: Role) => Promise<T>): Promise<T> => {
      refuseSandbox(principal);
      return transaction(async () => {
        await organizations.lock(principal.organizationId);
        return work(await actorRole(principal));
      });
    },

    record: (type: ChangeEvent, { principal, ip }: By, targetId: string, data: object): Promise<void> =>
      audit({
        type,
        organizationId: principal.organizationId,
        actor: actorOf(principal),
        targetId,
        ip,
        data: { ...data },
      }),
  };
}

/** Members and their roles are no sandbox data: who joins here reaches production. */
function refuseSandbox({ environment }: Principal): void {
  if (environment === 'test') throw forbidden('A sandbox credential can not change the organization.');
}

export const forbidden = (detail: string): AppError => new AppError('forbidden', detail);
