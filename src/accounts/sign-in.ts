import type { AttemptLimit, CreateAttemptLimit } from '../kernel/attempts.ts';
import { AppError } from '../kernel/errors.ts';
import { verifyPassword } from './password.ts';
import { normalizeEmail, type User, type UserStore } from './user.ts';

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
 * Password sign-in with limits on guessing. Three counts, each taken before the password is looked at, so that
 * many guesses at once can't slip through: by address and account, by address alone, and by account from
 * browsers that never signed in to it. The last one stops a guess from a thousand addresses and, since the
 * owner's own browsers don't fall under it, can't be used to lock the owner out.
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

  return async ({ email, password, ip, isKnownBrowser }) => {
    const address = normalizeEmail(email).slice(0, 254);
    const network = deps.networkOf(ip);
    const pair = `${network} ${address}`;
    await take(byPair, pair);
    await take(byNetwork, network);

    const user = address.includes('\0') ? undefined : await deps.users.findByEmail(address);
    const stranger = !(user && isKnownBrowser(user.id));
    if (stranger) await take(byStrangers, address);

    const matches = await verifyPassword(user?.passwordHash, password);
    if (!user || !matches || user.deactivatedAt) return { kind: 'refused' };
    await byPair.reset(pair);
    await byNetwork.forgive(network);
    if (stranger) await byStrangers.forgive(address);
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
