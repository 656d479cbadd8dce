import type { Middleware } from 'koa';
import { answerRepeat, keepForRepeats, type RefreshRepeatDeps } from './refresh-repeats.ts';
import { punishReplay, type ReplayDeps, replayOf } from './replays.ts';

export type TokenEndpointDeps = ReplayDeps &
  RefreshRepeatDeps & {
    /** Runs all of a token request in one database transaction. */
    transaction<T>(work: () => Promise<T>): Promise<T>;
  };

/** Where the endpoint says which grant type the form names. */
export const GRANT_TYPE = 'grantType';

class RolledBack extends Error {}

/**
 * One token request, one transaction: a code is spent and its tokens are saved together or not at all. An
 * answer of 4xx commits (what a replay revoked has to stay revoked), one of 5xx rolls back.
 */
export function tokenTransaction(deps: TokenEndpointDeps): Middleware {
  return async (ctx, next) => {
    // Nothing is written for it: the token is a JWT, and a proof of a key is one statement of its own.
    if (ctx.state[GRANT_TYPE] === 'client_credentials') return next();
    try {
      await deps.transaction(async () => {
        await next();
        const replay = replayOf(ctx);
        if (!replay) await keepForRepeats(ctx, deps);
        else if (!(await answerRepeat(ctx, replay, deps))) await punishReplay(ctx, replay, deps);
        if (ctx.status >= 500) throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error; // else the answer stands already
    }
  };
}
