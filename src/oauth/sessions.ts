import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { SESSION_SECONDS } from './lifetimes.ts';
import { visitorOf } from './session-epochs.ts';
import type { SessionStore, Visitor } from './session-store.ts';

export type Session = {
  userId: string;
  /** When the person last proved who they are: at the sign-in, or since. */
  provedAt: Date;
  /** How, as in RFC 8176: "pwd", "otp", "mfa". */
  methods: readonly string[];
  /** As in the person's list of signed-in browsers. */
  id: string;
};

/** Who is signed in at this browser. One kind of session serves the pages and the OAuth endpoints. */
export type Sessions = {
  /** Undefined when nobody is. Doesn't look whether the person was deactivated since. */
  current(ctx: Context): Promise<Session | undefined>;
  /** Signs a person in, under a new session id (against fixation). `methods` as in RFC 8176: "pwd", "otp". */
  start(ctx: Context, userId: string, methods: readonly string[]): Promise<void>;
  /** The person of the session has just proved again who they are: under a new session id, with what they did now. */
  renew(ctx: Context, session: Session, methods: readonly string[]): Promise<void>;
  /** Ends the session here and in the database. */
  end(ctx: Context): Promise<void>;
  /** After every session of the person was ended: lets this browser, which did it, stay signed in as it was. */
  restart(ctx: Context, session: Session): Promise<void>;
};

export type SessionsDeps = {
  secure: boolean;
  store: Pick<SessionStore, 'idOf'>;
  /** Notes that a signed-in browser was here; writes nothing by itself. */
  noteSeen(uid: string, ip: string): void;
};

/** The library's own sessions, used from the pages too: signing out in one place is signing out in all. */
export function createSessions(provider: Provider, deps: SessionsDeps): Sessions {
  const cookieName = () =>
    (provider as unknown as { cookieName(type: string): string }).cookieName('session');
  const cookieOptions = {
    httpOnly: true,
    sameSite: 'lax',
    signed: true,
    overwrite: true,
    secure: deps.secure,
    path: '/',
  } as const;
  const load = (ctx: Context) => provider.Session.get(ctx);
  type Model = Awaited<ReturnType<typeof load>> & { visitor?: Visitor };

  const setCookie = (ctx: Context, value: string | null): void => {
    const jar = provider.createContext(ctx.req, ctx.res).cookies;
    jar.secure = deps.secure;
    jar.set(
      cookieName(),
      value,
      value === null ? cookieOptions : { ...cookieOptions, maxAge: SESSION_SECONDS * 1000 },
    );
  };
  const save = async (
    ctx: Context,
    session: Model,
    login: { userId: string; methods: readonly string[]; provedAt?: Date },
  ): Promise<void> => {
    session.resetIdentifier();
    session.loginAccount({
      accountId: login.userId,
      amr: [...login.methods],
      loginTs: Math.floor((login.provedAt ?? new Date()).getTime() / 1000),
    });
    session.visitor = visitorOf(ctx);
    await session.save(SESSION_SECONDS);
    setCookie(ctx, session.jti);
  };
  const begin = async (ctx: Context, login: Parameters<typeof save>[2]): Promise<void> => {
    const before = await load(ctx);
    if (before.accountId) await before.destroy(); // nothing of another sign-in is carried over
    await save(ctx, before.accountId ? new provider.Session() : before, login);
  };

  return {
    current: async (ctx) => {
      const session = await load(ctx);
      if (!session.accountId) return undefined;
      deps.noteSeen(session.uid, ctx.ip);
      return {
        userId: session.accountId,
        provedAt: new Date((session.loginTs ?? 0) * 1000),
        methods: session.amr ?? [],
        id: deps.store.idOf(session.uid),
      };
    },
    start: (ctx, userId, methods) => begin(ctx, { userId, methods }),
    renew: async (ctx, { userId }, methods) => {
      const session = await load(ctx);
      if (session.accountId !== userId) return begin(ctx, { userId, methods }); // ended, or another's, meanwhile
      await save(ctx, session, { userId, methods });
    },
    end: async (ctx) => {
      const session = await load(ctx);
      if (session.accountId || session.iat) await session.destroy();
      setCookie(ctx, null);
    },
    restart: (ctx, session) => begin(ctx, session),
  };
}
