import { AppError } from '../kernel/errors.ts';
import type { Caller } from './principal.ts';

/** What was presented, and how: resolvers may bind a credential to the path or the address it is used from. */
export type Presented = {
  /** The bearer credential, in the clear: never log it, never put it into an error. */
  credential: string;
  path: string;
  ip: string;
  /** With the scheme DPoP (RFC 9449 §7.1): the proofs that were sent, of which there should be one, and the method. */
  dpop?: { proofs: readonly string[]; method: string };
};

/**
 * Who a credential proves, and what that rests on. `restsOn` absent: prove it anew each time. `admits` says whether it may be
 * used in this way (from this address, at this path), which differs from use to use: undefined, or the error.
 */
export type Proven = {
  kind: 'proven';
  principal: Caller;
  restsOn?: {
    /** "<kind>:<id>" of whatever would undo the proof by changing. */
    tags: readonly string[];
    /** Milliseconds until it expires by itself; absent when it doesn't. */
    forMs?: number;
  };
  admits?(presented: Presented): AppError | undefined;
  /** The thumbprint (RFC 7638) of the key that whoever presents this has to prove; absent where holding it is enough. */
  boundTo?: string;
};

/** absent: not my kind of credential, ask the next. bad: mine, and refused. proven: mine, and this is who it is. */
export type Resolution = { kind: 'absent' } | { kind: 'bad'; error: AppError } | Proven;

export type Resolver = (presented: Presented) => Promise<Resolution>;

/** Throws a 401 AppError unless the request proves the key that its credential is bound to, if it is bound to one. */
export type ProveKey = (presented: Presented, boundTo: string | undefined) => Promise<void>;

export type Resolve = (presented: Presented) => Promise<Caller>;

export const absent: Resolution = { kind: 'absent' };
export const bad = (error: AppError): Resolution => ({ kind: 'bad', error });
export const proven = (
  principal: Caller,
  more: Pick<Proven, 'restsOn' | 'admits' | 'boundTo'> = {},
): Proven => ({
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

/** Without a way to prove keys nothing that is bound to one is taken. */
const refuseKeys: ProveKey = () => Promise.reject(invalidCredential());

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
export function createResolve(
  resolvers: readonly Resolver[],
  { memory, proveKey = refuseKeys }: { memory?: Memory; proveKey?: ProveKey } = {},
): Resolve {
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
    if (presented.dpop || proof.boundTo !== undefined) await proveKey(presented, proof.boundTo);
    return proof.principal;
  };
}
