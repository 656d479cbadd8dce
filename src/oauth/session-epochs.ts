import type Provider from 'oidc-provider';

export type SessionEpochDeps = {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * How often all sessions of a person have been ended. MUST hold that still until the transaction ends. Undefined
   * when there is no such person.
   */
  holdSessionEpoch(userId: string): Promise<number | undefined>;
};

type SessionModel = {
  accountId?: string | undefined;
  epoch?: number | undefined;
  jti: string;
  loginAccount(details: object): void;
  save(ttl: number): Promise<string>;
};

/**
 * Keeps sessions ended. The library loads a session when a request begins and writes it back, under a new id, when it ends:
 * one that was ended in between would stand again. So a session carries the epoch in which its person signed in, and
 * is written only while that still runs.
 */
export function keepSessionsEnded(provider: Provider, deps: SessionEpochDeps): void {
  const fields = provider.Session.IN_PAYLOAD;
  Object.defineProperty(provider.Session, 'IN_PAYLOAD', { get: () => [...fields, 'epoch'] });

  const sessions = provider.Session.prototype as unknown as SessionModel;
  const { loginAccount, save } = sessions;

  sessions.loginAccount = function (details) {
    this.epoch = undefined;
    loginAccount.call(this, details);
  };
  sessions.save = function (ttl) {
    return deps.transaction(async () => {
      if (this.accountId !== undefined) {
        const epoch = await deps.holdSessionEpoch(this.accountId);
        this.epoch ??= epoch;
        if (epoch === undefined || this.epoch !== epoch) return this.jti; // ended meanwhile: stays so
      }
      return save.call(this, ttl);
    });
  };
}
