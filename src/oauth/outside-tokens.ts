import Provider from 'oidc-provider';
import type { Environment } from '../../config/environments.ts';

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of credentials that the library doesn't keep: JWT access tokens,
 * which nobody keeps, and API keys. Client authentication and the shape of the exchange stay the library's: it finds
 * such a credential as it finds a token of its own, and ends it by destroying that.
 */

/** Whom a credential belongs to: what decides who may ask about it. */
export type Ownership = {
  organizationId: string;
  environment: Environment;
  /** The app that it was issued to. Absent for API keys that a person made. */
  clientId?: string;
};

/** What introspection says of a credential that holds now, in the words of RFC 7662 §2.2. */
export type TokenDescription = { [member: string]: unknown };

/** Who revokes: the app that authenticated, and from which address. */
export type RevokedBy = { clientId: string; ip: string };

/** One kind of such credentials. Both functions give undefined for what isn't theirs. */
export type OutsideTokens = {
  /** Undefined too when it doesn't hold any more. */
  describe(credential: string): Promise<(Ownership & { description: TokenDescription }) | undefined>;
  /** Whether it holds is not asked: what was revoked must not come back with what it rested on. */
  findToEnd(credential: string): Promise<(Ownership & { end(by: RevokedBy): Promise<void> }) | undefined>;
};

export type FoundOutside = Ownership & {
  description?: TokenDescription;
  end?(by: RevokedBy): Promise<void>;
};

/** In front of a JWT: the library refuses at these endpoints what it can decode as one. No character of base64url. */
const MASK = '~';

const looksLikeJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

/** The form with its token out of the library's sight. Duplicates stay as they are, for the library to refuse. */
export function maskToken(form: string): string {
  const fields = new URLSearchParams(form);
  const tokens = fields.getAll('token');
  if (tokens.length !== 1 || !looksLikeJwt(tokens[0] ?? '')) return form;
  fields.set('token', MASK + tokens[0]);
  return fields.toString();
}

type Findable = { find(...args: unknown[]): Promise<unknown> };
const found = new WeakMap<object, FoundOutside>();

/** What was found outside and stands behind a model of the library's; undefined for a token of its own. */
export const outsideOf = (model: object): FoundOutside | undefined => found.get(model);

/** Teaches the library's models to find these credentials, at these two endpoints and nowhere else. */
export function findOutsideTokens(provider: Provider, kinds: readonly OutsideTokens[]): void {
  const lookUp = async (credential: string): Promise<FoundOutside | undefined> => {
    for (const kind of kinds) {
      const token = await (Provider.ctx?.oidc.route === 'revocation'
        ? kind.findToEnd(credential)
        : kind.describe(credential));
      if (token) return token;
    }
    return undefined;
  };
  const isAsked = (): boolean => ['introspection', 'revocation'].includes(Provider.ctx?.oidc.route ?? '');

  // One model stands for all of them: one without a family, so that ending it ends nothing else.
  const own = provider.ClientCredentials as unknown as Findable;
  const findOwn = own.find.bind(own);
  own.find = async (value, ...options) => {
    if (!isAsked() || typeof value !== 'string') return findOwn(value, ...options);
    const token = await lookUp(value.startsWith(MASK) ? value.slice(MASK.length) : value);
    if (!token) return undefined; // none of the library's is kept: they are JWTs
    const model = new provider.ClientCredentials({} as never);
    Object.assign(model, { clientId: token.clientId });
    found.set(model, token);
    return model;
  };
}
