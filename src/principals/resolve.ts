import { AppError } from '../kernel/errors.ts';
import type { Principal } from './principal.ts';

/** What was presented, and how: resolvers may bind a credential to the path or the address it is used from. */
type Presented = {
  /** The bearer credential, in the clear: never log it, never put it into an error. */
  credential: string;
  path: string;
  ip: string;
};

/** absent: not my kind of credential, ask the next. bad: mine, and refused. proven: mine, and this is who it is. */
export type Resolution =
  | { kind: 'absent' }
  | { kind: 'bad'; error: AppError }
  | { kind: 'proven'; principal: Principal };

export type Resolver = (presented: Presented) => Promise<Resolution>;

export type Resolve = (presented: Presented) => Promise<Principal>;

export const absent: Resolution = { kind: 'absent' };
export const bad = (error: AppError): Resolution => ({ kind: 'bad', error });
export const proven = (principal: Principal): Resolution => ({ kind: 'proven', principal });

export const invalidCredential = (cause?: unknown): AppError =>
  new AppError(
    'invalid_credential',
    'The credential is not valid. Send a current API key or access token.',
    {},
    { cause },
  );

/**
 * The one way from any credential to its authority. Resolvers are asked in order; the first that knows the kind
 * decides. Throws a 401 AppError. Does NOT check scopes, limits, or what the principal may see.
 */
export function createResolve(resolvers: readonly Resolver[]): Resolve {
  return async (presented) => {
    for (const resolver of resolvers) {
      const resolution = await resolver(presented);
      if (resolution.kind === 'bad') throw resolution.error;
      if (resolution.kind === 'proven') return resolution.principal;
    }
    throw invalidCredential();
  };
}
