import Provider from 'oidc-provider';
import type { SessionStore, Visitor } from './session-store.ts';

export type SessionEpochDeps = {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  sessionStore: Pick<SessionStore, 'holdEpoch' | 'stands' | 'recordSignIn'>;
  /** Notes that a signed-in browser was here; writes nothing by itself. */
  noteSeen(uid: string, ip: string): void;
};

type SessionModel = {
  uid: string;
  jti: string;
  accountId?: string | undefined;
  epoch?: number | undefined;
  /** Not kept: whether somebody signed in during this request. */
  signedIn?: boolean;
  /** Not kept: whose request this is, where the library doesn't know it. */
  visitor?: Visitor;
  loginAccount(details: object): void;
  save(ttl: number): Promise<string>;
};

/**
 * Keeps sessions ended. The library loads a session when a request begins and writes it back, under a new id, when it ends:
 * one that was ended in between would stand again. So a session carries the epoch in which its person signed in, and
 * is written only while that still runs, and only while it is still there, unless the person has signed in just now.
 * A sign-in is written down with the session, for the person's own list of where they are signed in.
 */
export function keepSessionsEnded(provider: Provider, deps: SessionEpochDeps): void {
  const fields = provider.Session.IN_PAYLOAD;
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', { get: () => [...fields, 'epoch'] });

  const sessions = provider.Session.prototype as unknown as SessionModel;
  const { loginAccount, save } = sessions;

  sessions.loginAccount = function (details) {
    this.epoch = undefined;
    this.signedIn = true;
    loginAccount.call(this, details);
  };
  sessions.save = function (ttl) {
    return deps.transaction(async () => {
      const { accountId: userId, uid } = this;
      if (userId === undefined) return save.call(this, ttl);
      const epoch = await deps.sessionStore.holdEpoch(userId);
      this.epoch ??= epoch;
      if (epoch === undefined || this.epoch !== epoch) return this.jti; // ended meanwhile: stays so
      if (!this.signedIn && !(await deps.sessionStore.stands(uid))) return this.jti;
      const visitor = this.visitor ?? visitorOf(Provider.ctx);
      const written = await save.call(this, ttl);
      if (this.signedIn) await deps.sessionStore.recordSignIn({ uid, userId, ...visitor });
      else deps.noteSeen(uid, visitor.ip);
      return written;
    });
  };
}

export const visitorOf = (ctx: { ip: string; get(name: string): string } | undefined): Visitor => ({
  ip: ctx?.ip ?? '',
  userAgent: (ctx?.get('User-Agent') ?? '').slice(0, 400),
});
