import type { Clock } from '../kernel/clock.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { newTotpSecret, totpSetup } from './totp.ts';
import type { User } from './user.ts';

const SETUP_SECONDS = 30 * 60;

/** What the page of the set-up shows, and brings back as `setup`. */
export type TotpSetup = { typed: string; picture: string; setup: string };

export type TotpSetups = {
  /** A new secret for an authenticator app. Nothing is written: the page brings `setup` back, sealed. */
  begin(user: User): TotpSetup;
  /** The same again for a page whose code was wrong; undefined when it has expired or is another person's. */
  again(user: User, setup: string): TotpSetup | undefined;
  /** The secret; undefined likewise. */
  open(user: User, setup: string): string | undefined;
};

/** An authenticator app between the picture and the code that shows that it was taken in. */
export function createTotpSetups({ sealer, clock }: { sealer: Sealer; clock: Clock }): TotpSetups {
  const contextOf = (user: User): string => `totp-setup/${user.id}`;

  const open = (user: User, setup: string): string | undefined => {
    try {
      const text = sealer.open(Buffer.from(setup, 'base64url'), contextOf(user));
      const { secret, expiresAt } = JSON.parse(text) as { secret: string; expiresAt: number };
      return expiresAt > clock().getTime() ? secret : undefined;
    } catch {
      return undefined;
    }
  };

  return {
    open,
    begin: (user) => {
      const secret = newTotpSecret();
      const expiresAt = clock().getTime() + SETUP_SECONDS * 1000;
      const setup = sealer.seal(JSON.stringify({ secret, expiresAt }), contextOf(user));
      return { ...totpSetup(secret, user.email), setup: setup.toString('base64url') };
    },
    again: (user, setup) => {
      const secret = open(user, setup);
      return secret === undefined ? undefined : { ...totpSetup(secret, user.email), setup };
    },
  };
}
