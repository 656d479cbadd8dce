import type { Clock } from '../kernel/clock.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { sha256 } from '../kernel/secret.ts';
import type { User } from './user.ts';

const PENDING_SECONDS = 600;
const CONTEXT = 'pending-sign-in';

type Pending = { userId: string; password: string; expiresAt: number };

/**
 * A sign-in between its two steps, sealed into the page of the second: who showed the right password, and when. No
 * session exists yet. It is void once the password is another.
 */
export function createPendingSignIns(deps: {
  sealer: Sealer;
  findUser(id: string): Promise<User | undefined>;
  clock: Clock;
}) {
  const { sealer, clock } = deps;
  const fingerprint = ({ passwordHash }: User): string => sha256(passwordHash).toString('base64url');

  return {
    seal: (user: User): string => {
      const expiresAt = clock().getTime() + PENDING_SECONDS * 1000;
      const pending: Pending = { userId: user.id, password: fingerprint(user), expiresAt };
      return sealer.seal(JSON.stringify(pending), CONTEXT).toString('base64url');
    },
    /** Undefined when it is not ours, too old, or void. */
    open: async (sealed: string): Promise<User | undefined> => {
      let pending: Pending;
      try {
        pending = JSON.parse(sealer.open(Buffer.from(sealed, 'base64url'), CONTEXT)) as Pending;
      } catch {
        return undefined;
      }
      if (pending.expiresAt <= clock().getTime()) return undefined;
      const user = await deps.findUser(pending.userId);
      return user && !user.deactivatedAt && fingerprint(user) === pending.password ? user : undefined;
    },
  };
}
