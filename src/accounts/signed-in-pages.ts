import type { Context, Middleware } from 'koa';
import { seeOther } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import type { Clock } from '../kernel/clock.ts';
import type { User } from './user.ts';

/** What a person did to prove who they are counts this long for what they could be harmed by most. */
const RECENT_SECONDS = 600;

/** Where a person proves again who they are. */
export const CONFIRM_PATH = '/account/confirm';

/** Where a person sets up second factors. */
export const SECURITY_PATH = '/account/security';

export type PageSession = { userId: string; provedAt: Date; methods: readonly string[]; id: string };

export type SignedIn = { user: User; session: PageSession };

type Handler = (ctx: Context, who: SignedIn) => Promise<void> | void;

/** Which people a page is for. Every page of the account and the console is behind one of these. */
export type SignedInPages = {
  /** For who is signed in; everybody else signs in first. */
  signedIn(handler: Handler): Middleware;
  /**
   * For who proved within the last ten minutes that it is them (by password or passkey, and the second factor of
   * who has one). Others do that first, and come back: to this page, or for a form that was posted to `back`, the page that shows it.
   */
  recently(back: string, handler: Handler): Middleware;
  /** Whether they have; nobody is sent anywhere. */
  hasRecentSignIn(ctx: Context): Promise<boolean>;
  /** The same in the midst of a handler. Undefined when the browser was sent to prove it. */
  requireRecentSignIn(ctx: Context, back: string): Promise<SignedIn | undefined>;
};

export type SignedInPagesDeps = {
  currentSession(ctx: Context): Promise<PageSession | undefined>;
  findUser(id: string): Promise<User | undefined>;
  clock: Clock;
};

export function createSignedInPages({ currentSession, findUser, clock }: SignedInPagesDeps): SignedInPages {
  const requireSignIn = async (ctx: Context, back: string): Promise<SignedIn | undefined> => {
    const session = await currentSession(ctx);
    const user = session && (await findUser(session.userId));
    if (session && user && !user.deactivatedAt) return { user, session };
    seeOther(ctx, withReturnTo('/login', backTo(ctx, back)));
    return undefined;
  };

  const requireRecentSignIn = async (ctx: Context, back: string): Promise<SignedIn | undefined> => {
    const who = await requireSignIn(ctx, back);
    if (!who || isRecent(who.session.provedAt, clock())) return who;
    seeOther(ctx, withReturnTo(CONFIRM_PATH, backTo(ctx, back)));
    return undefined;
  };

  return {
    signedIn: (handler) => async (ctx) => {
      const who = await requireSignIn(ctx, '/account');
      if (who) await handler(ctx, who);
    },
    recently: (back, handler) => async (ctx) => {
      const who = await requireRecentSignIn(ctx, back);
      if (who) await handler(ctx, who);
    },
    hasRecentSignIn: async (ctx) => {
      const session = await currentSession(ctx);
      return session !== undefined && isRecent(session.provedAt, clock());
    },
    requireRecentSignIn,
  };
}

/** Where somebody is led who lacks the second factor that an organization requires. */
export const secondFactorSetup = (returnTo: string): string =>
  `${SECURITY_PATH}?${new URLSearchParams({ required: '1', returnTo }).toString()}`;

const isRecent = (provedAt: Date, now: Date): boolean =>
  now.getTime() - provedAt.getTime() <= RECENT_SECONDS * 1000;

/** The page itself; for a form that was posted, the page that shows it. */
const backTo = (ctx: Context, back: string): string => safeReturnTo(ctx.method === 'GET' ? ctx.url : back);
