import type { AuditActor, RecordAudit } from '../audit/event.ts';
import type { UserStore } from './user.ts';

export type UserStatusDeps = {
  users: Pick<UserStore, 'setDeactivated'>;
  /** Signs the person out of every browser. */
  endSessionsOf(userId: string): Promise<void>;
  /** Ends what the person allowed apps, and every token under it. */
  endGrants(of: { userId: string }): Promise<unknown>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
};

/**
 * Shuts a person out, and lets them in again. Deactivation ends their sessions and what apps hold for them, for good; their API keys
 * are refused for as long as it lasts. Both give false when there is no such person, or nothing to change.
 */
export function createUserStatus({ users, endSessionsOf, endGrants, transaction, audit }: UserStatusDeps) {
  const record = (type: 'user.deactivated' | 'user.reactivated', userId: string, actor: AuditActor) =>
    audit({ type, actor, targetId: userId });

  return {
    deactivate: (userId: string, actor: AuditActor): Promise<boolean> =>
      transaction(async () => {
        if (!(await users.setDeactivated(userId, true))) return false; // holds the person's row from here on
        await endSessionsOf(userId);
        await endGrants({ userId });
        await record('user.deactivated', userId, actor);
        return true;
      }),

    reactivate: (userId: string, actor: AuditActor): Promise<boolean> =>
      transaction(async () => {
        if (!(await users.setDeactivated(userId, false))) return false;
        await record('user.reactivated', userId, actor);
        return true;
      }),
  };
}
