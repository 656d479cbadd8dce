import type { JSONWebKeySet } from 'jose';
import { isScope } from '../../config/scopes.ts';
import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { JudgeAccessToken } from '../principals/access-token.ts';
import { createVerifier, looksLikeJwt } from '../principals/verify-access-token.ts';
import type { OutsideTokens } from './outside-tokens.ts';

/** Access tokens that were revoked before their time. Every method joins the open transaction. */
export type RevokedTokens = {
  /** False when it was revoked already. Every process is told when the transaction commits. */
  add(token: { jti: string; expiresAt: Date }): Promise<boolean>;
  /** Forgets at most `most` of those that would have expired by now; resolves with how many. */
  sweep(most: number): Promise<number>;
};

type Deps = {
  apiUrl: string;
  keys(): JSONWebKeySet | Promise<JSONWebKeySet>;
  judge: JudgeAccessToken;
  planOf(organizationId: string): Promise<string | undefined>;
  revoked: Pick<RevokedTokens, 'add'>;
  audit: RecordAudit;
  clock: Clock;
};

/** A token is still taken this long after its `exp`, by machines whose clocks are behind. */
const KEPT_PAST_EXPIRY_MS = 60_000;

/** Our JWT access tokens, as introspection and revocation know them. What else is a JWT (an id_token) is none of them. */
export function accessTokens(deps: Deps): OutsideTokens {
  const verify = createVerifier(deps.apiUrl);
  return {
    describe: async (credential) => {
      if (!looksLikeJwt(credential)) return undefined;
      const judged = await deps.judge(credential);
      if (judged instanceof AppError) return undefined;
      const { claims, principal } = judged;
      const { organizationId, environment, method } = principal;
      const left = claims.scope
        .split(' ')
        .filter((scope) => !isScope(scope) || principal.scopes.includes(scope));
      return {
        organizationId,
        environment,
        clientId: claims.client_id,
        description: {
          ...(left.length > 0 ? { scope: left.join(' ') } : {}),
          client_id: claims.client_id,
          token_type: claims.cnf ? 'DPoP' : 'Bearer',
          exp: claims.exp,
          iat: claims.iat,
          sub: claims.sub,
          aud: claims.aud,
          iss: deps.apiUrl,
          jti: claims.jti,
          ...(claims.cnf ? { cnf: claims.cnf } : {}),
          org_id: organizationId,
          env: environment,
          auth_method: method,
          plan: await deps.planOf(organizationId),
        },
      };
    },
    findToEnd: async (credential) => {
      if (!looksLikeJwt(credential)) return undefined;
      const verified = await verify(credential, { keys: await deps.keys(), now: deps.clock() });
      if (verified instanceof AppError) return undefined;
      const { jti, exp, org_id: organizationId, client_id: clientId, sub, env } = verified.claims;
      return {
        organizationId,
        environment: env ?? 'live',
        clientId,
        end: async (by) => {
          if (!(await deps.revoked.add({ jti, expiresAt: new Date(exp * 1000 + KEPT_PAST_EXPIRY_MS) })))
            return;
          await deps.audit({
            type: 'token.revoked',
            organizationId,
            actor: { type: 'app', id: by.clientId },
            targetId: jti,
            ip: by.ip,
            data: { token: 'access_token', clientId, sub },
          });
        },
      };
    },
  };
}
