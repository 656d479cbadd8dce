import type { AttemptLimit, CreateAttemptLimit } from '../kernel/attempts.ts';
import { normalizeEmail } from '../kernel/email.ts';
import { AppError } from '../kernel/errors.ts';
import { verifyPassword } from './password.ts';
import type { User, UserStore } from './user.ts';

export type SignInResult =
  | { kind: 'ok'; user: User }
  | { kind: 'unconfirmed'; user: User }
  | { kind: 'refused' };

export type SignIn = (attempt: {
  email: string;
  password: string;
  ip: string;
  /** Whether this browser has signed in to this account before (it holds our signed cookie for it). */
  isKnownBrowser(userId: string): boolean;
}) => Promise<SignInResult>;

const WINDOW_SECONDS = 15 * 60;

/**
 * Password sign-in with limits on guessing, each count taken before the password is looked at, so that many guesses at
 * once can't slip through. Strangers are counted three times: by address and account, by address alone, and by account,
 * which stops a guess from a thousand addresses. A browser that has signed in to the account before has a count of its own:
 * nobody else can use up its attempts and lock the owner out.
 *
 * Throws `rate_limited`; the same for accounts that don't exist.
 */
export function createSignIn(deps: {
  users: UserStore;
  createLimit: CreateAttemptLimit;
  networkOf(ip: string): string;
}): SignIn {
  const byPair = deps.createLimit({ name: 'login-pair', attempts: 10, windowSeconds: WINDOW_SECONDS });
  const byNetwork = deps.createLimit({ name: 'login-network', attempts: 60, windowSeconds: WINDOW_SECONDS });
  const byStrangers = deps.createLimit({
    name: 'login-strangers',
    attempts: 100,
    windowSeconds: WINDOW_SECONDS,
  });

  const byKnown = deps.createLimit({ name: 'login-known', attempts: 20, windowSeconds: WINDOW_SECONDS });

  return async ({ email, password, ip, isKnownBrowser }) => {
    const address = normalizeEmail(email).slice(0, 254);
    const network = deps.networkOf(ip);
    const pair = `${network} ${address}`;
    const user = address.includes('\0') ? undefined : await deps.users.findByEmail(address);
    const known = user !== undefined && isKnownBrowser(user.id);
    if (known) {
      await take(byKnown, address);
    } else {
      await take(byPair, pair);
      await take(byNetwork, network);
      await take(byStrangers, address);
    }

    const matches = await verifyPassword(user?.passwordHash, password);
    if (!user || !matches || user.deactivatedAt) return { kind: 'refused' };
    if (known) {
      await byKnown.reset(address);
    } else {
      await byPair.reset(pair);
      await byNetwork.forgive(network);
      await byStrangers.forgive(address);
    }
    return user.emailConfirmedAt ? { kind: 'ok', user } : { kind: 'unconfirmed', user };
  };
}

async function take(limit: AttemptLimit, key: string): Promise<void> {
  const { allowed, retryAfterSeconds } = await limit.attempt(key);
  if (allowed) return;
  const minutes = Math.ceil(retryAfterSeconds / 60);
  throw new AppError(
    'rate_limited',
    `Too many attempts to sign in. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    { retryAfterSeconds },
  );
}
