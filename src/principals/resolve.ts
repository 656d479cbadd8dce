import { AppError } from '../kernel/errors.ts';
import type { Principal } from './principal.ts';

/** What was presented, and how: resolvers may bind a credential to the path or the address it is used from. */
export type Presented = {
  /** The bearer credential, in the clear: never log it, never put it into an error. */
  credential: string;
  path: string;
  ip: string;
};

/**
 * Who a credential proves, and what that rests on. `restsOn` absent: prove it anew each time. `admits` says whether it may be
 * used in this way (from this address, at this path), which differs from use to use: undefined, or the error.
 */
export type Proven = {
  kind: 'proven';
  principal: Principal;
  restsOn?: {
    /** "<kind>:<id>" of whatever would undo the proof by changing. */
    tags: readonly string[];
    /** Milliseconds until it expires by itself; absent when it doesn't. */
    forMs?: number;
  };
  admits?(presented: Presented): AppError | undefined;
};

/** absent: not my kind of credential, ask the next. bad: mine, and refused. proven: mine, and this is who it is. */
export type Resolution = { kind: 'absent' } | { kind: 'bad'; error: AppError } | Proven;

export type Resolver = (presented: Presented) => Promise<Resolution>;

export type Resolve = (presented: Presented) => Promise<Principal>;

export const absent: Resolution = { kind: 'absent' };
export const bad = (error: AppError): Resolution => ({ kind: 'bad', error });
export const proven = (principal: Principal, more: Pick<Proven, 'restsOn' | 'admits'> = {}): Proven => ({
  kind: 'proven',
  principal,
  ...more,
});

export const invalidCredential = (cause?: unknown): AppError =>
  new AppError(
    'invalid_credential',
    'The credential is not valid. Send a current API key or access token.',
    {},
    { cause },
  );

/** What was proven a moment ago, as `createCredentialCache` remembers it. */
export type Memory = {
  find(credential: string): Proven | undefined;
  begin(): number;
  keep(credential: string, proof: Proven, begun: number): void;
};

/**
 * The one way from any credential to its authority. Resolvers are asked in order; the first that knows the kind
 * decides. Throws a 401 AppError, or 403 when it may not be used like this. Does NOT check scopes, limits, or what the
 * principal may see.
 */
export function createResolve(resolvers: readonly Resolver[], memory?: Memory): Resolve {
  const prove = async (presented: Presented): Promise<Proven> => {
    for (const resolver of resolvers) {
      const resolution = await resolver(presented);
      if (resolution.kind === 'bad') throw resolution.error;
      if (resolution.kind === 'proven') return resolution;
    }
    throw invalidCredential();
  };

  return async (presented) => {
    const { credential } = presented;
    let proof = memory?.find(credential);
    if (!proof) {
      const begun = memory?.begin() ?? 0;
      proof = await prove(presented);
      memory?.keep(credential, proof, begun);
    }
    const refusal = proof.admits?.(presented);
    if (refusal) throw refusal;
    return proof.principal;
  };
}
