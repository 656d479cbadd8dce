import { AsyncLocalStorage } from 'node:async_hooks';
import type { AdapterPayload } from 'oidc-provider';
import type { Role } from '../../config/roles.ts';
import type { Account } from './account.ts';

/** What a code or refresh token rests on, read with it in one statement. */
export type TokenBasis = {
  grantId: string;
  grant: AdapterPayload;
  organizationId: string;
  userId: string;
  /** Undefined when the person is gone or deactivated. */
  account: Account | undefined;
  /** Of the person in the organization; undefined when they left. */
  role: Role | undefined;
};

export type TokenBases = ReturnType<typeof createTokenBases>;

/**
 * Carries that basis along one token request, so that the library's later questions after grant and person cost no statement each.
 * Older than they are by milliseconds: what was withdrawn in between has taken the code or token with it, and spending that
 * fails.
 */
export function createTokenBases() {
  const request = new AsyncLocalStorage<{ basis?: TokenBasis }>();
  return {
    during: <T>(work: () => Promise<T>): Promise<T> => request.run({}, work),
    isOpen: (): boolean => request.getStore() !== undefined,
    put: (basis: TokenBasis): void => {
      const store = request.getStore();
      if (store) store.basis = basis;
    },
    ofGrant: (grantId: string): TokenBasis | undefined => {
      const basis = request.getStore()?.basis;
      return basis?.grantId === grantId ? basis : undefined;
    },
    ofUser: (userId: string): TokenBasis | undefined => {
      const basis = request.getStore()?.basis;
      return basis?.userId === userId ? basis : undefined;
    },
  };
}
