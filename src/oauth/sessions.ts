import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { SESSION_SECONDS } from './lifetimes.ts';

/** Who is signed in at this browser. One kind of session serves the pages and the OAuth endpoints. */
export type Sessions = {
  /** Undefined when nobody is. Doesn't look whether the person was deactivated since. */
  current(ctx: Context): Promise<{ userId: string; signedInAt: Date } | undefined>;
  /** Signs a person in, under a new session id (against fixation). `methods` as in RFC 8176: "pwd", "otp". */
  start(ctx: Context, userId: string, methods: string[]): Promise<void>;
  /** Ends the session here and in the database. */
  end(ctx: Context): Promise<void>;
};

/** The library's own sessions, used from the pages too: signing out in one place is signing out in all. */
export function createSessions(provider: Provider, options: { secure: boolean }): Sessions {
  const cookieName = () =>
    (provider as unknown as { cookieName(type: string): string }).cookieName('session');
  const cookies = (ctx: Context) => provider.createContext(ctx.req, ctx.res).cookies;
  const cookieOptions = {
    httpOnly: true,
    sameSite: 'lax',
    signed: true,
    overwrite: true,
    secure: options.secure,
    path: '/',
  } as const;
  const load = (ctx: Context) => provider.Session.get(ctx);

  return {
    current: async (ctx) => {
      const session = await load(ctx);
      return session.accountId
        ? { userId: session.accountId, signedInAt: new Date((session.loginTs ?? 0) * 1000) }
        : undefined;
    },
    start: async (ctx, userId, methods) => {
      const before = await load(ctx);
      if (before.accountId) await before.destroy(); // nothing of another sign-in is carried over
      const session = before.accountId ? new provider.Session() : before;
      session.resetIdentifier();
      session.loginAccount({ accountId: userId, amr: methods, loginTs: Math.floor(Date.now() / 1000) });
      await session.save(SESSION_SECONDS);
      const jar = cookies(ctx);
      jar.secure = options.secure;
      jar.set(cookieName(), session.jti, { ...cookieOptions, maxAge: SESSION_SECONDS * 1000 });
    },
    end: async (ctx) => {
      const session = await load(ctx);
      if (session.accountId || session.iat) await session.destroy();
      const jar = cookies(ctx);
      jar.secure = options.secure;
      jar.set(cookieName(), null, cookieOptions);
    },
  };
}
