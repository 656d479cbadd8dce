import type { Context } from 'koa';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { AppError } from '../kernel/errors.ts';
import type { ClientKeys } from './client-keys.ts';

/** Where an app begins something; elsewhere what was read of its document before is enough. */
const BEGINNINGS = new Set(['/oauth/authorize', '/oauth/par', '/oauth/device_authorization']);

export type PrepareClientDeps = {
  keys: Pick<ClientKeys, 'prepare'>;
  /**
   * Reads the metadata document that a client_id is the URL of, unless it was read lately; absent where apps don't come that
   * way. Asks `mayFetch` first. Throws an AppError with the reason when there is no such app.
   */
  readDocument: ((clientId: string, mayFetch: () => Promise<void>) => Promise<void>) | undefined;
  /** Of fetches that one network may cause. */
  limit: AttemptLimit;
  networkOf(ip: string): string;
};

/** What a request says of its app: nothing of it is proven. */
export type NamedClient = { clientId: string | undefined; assertion: string | undefined };

export type PrepareClient = (ctx: Context, named: NamedClient) => Promise<void>;

/**
 * Fetches what has to be fetched of an app (its keys, its metadata document) before the library sees the request, and so outside of
 * any transaction.
 */
export function createPrepareClient({
  keys,
  readDocument,
  limit,
  networkOf,
}: PrepareClientDeps): PrepareClient {
  return async (ctx, { clientId, assertion }) => {
    if (clientId?.startsWith('https://') && readDocument && BEGINNINGS.has(ctx.path)) {
      await readDocument(clientId, async () => {
        const { allowed, retryAfterSeconds } = await limit.attempt(networkOf(ctx.ip));
        if (allowed) return;
        throw new AppError('rate_limited', 'Too many new apps come from your network.', {
          retryAfterSeconds,
        });
      });
    }
    if (assertion) await keys.prepare(assertion);
  };
}
